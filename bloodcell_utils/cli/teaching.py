"""For learners and teachers: progress, questions."""

from .. import config
from ..errors import BloodcellError
from ..files import replace_file, writable

MOODLE = (
    "In Moodle: open the question bank of your course, choose Import, the file format 'Moodle XML format', and under "
    "General leave 'Get category from file' ticked; choose the file, press Import. The questions arrive in one "
    "category a chapter."
)


def learnt(options):
    """What is solved and what is left; on request as a page, or from the beginning."""
    from ..course import certificate, progress

    if options.reset:
        aside = progress.reset()
        print(f"You begin anew. What you had solved is kept in {aside}." if aside else "There was nothing to forget.")
    elif options.page:
        if options.page.resolve() == config.progress_file():
            raise BloodcellError(f"{options.page} holds your progress; name another file for the page.")
        replace_file(writable(options.page, text=True), certificate.page(options.name).encode())
        print(options.page.resolve().as_uri())
    else:
        print(certificate.text())


def questions(options):
    """Count the questions of each chapter, or write them in Moodle's format."""
    from .. import course
    from ..course import moodle
    from ..course import questions as bank

    if options.moodle:
        exported = moodle.export(options.chapter)
        replace_file(writable(options.moodle, text=True), exported)
        count = exported.count(b'type="multichoice"')
        print(f"{count} questions are in {options.moodle}. {MOODLE}")
        return
    chapters = [course.chapter(name) for name in options.chapter] if options.chapter else course.load().chapters
    for chapter in chapters:
        print(f"{chapter.name:24} {len(bank.load(chapter.name)):3}  {chapter.title}")
