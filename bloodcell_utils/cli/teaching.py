"""For learners and teachers: progress, questions, doctor, classroom-bundle."""

from pathlib import Path

MOODLE = (
    "In Moodle: open the question bank of your course, choose Import, the file format 'Moodle XML format', and under "
    "General leave 'Get category from file' ticked; choose the file, press Import. The questions arrive in one "
    "category a chapter."
)


def learnt(options):
    """What is solved and what is left; on request as a page, or from the beginning."""
    from .. import certificate, progress

    if options.reset:
        aside = progress.reset()
        print(f"You begin anew. What you had solved is kept in {aside}." if aside else "There was nothing to forget.")
    elif options.page:
        certificate.write(options.page, options.name)
        print(options.page.resolve().as_uri())
    else:
        print(certificate.text())


def questions(options):
    """Count the questions of each chapter, or write them in Moodle's format."""
    from .. import course, moodle
    from .. import questions as bank
    from ..store import replace_file

    if options.moodle:
        exported = moodle.export(options.chapter)
        replace_file(options.moodle, exported)
        count = exported.count(b'type="multichoice"')
        print(f"{count} questions are in {options.moodle}. {MOODLE}")
        return
    chapters = [course.chapter(name) for name in options.chapter] if options.chapter else course.load().chapters
    for chapter in chapters:
        print(f"{chapter.name:24} {len(bank.load(chapter.name)):3}  {chapter.title}")


def doctor(options):
    """Say whether the course would run here, and what to do about what is missing."""
    from .. import doctor as examination

    return examination.run()


def bundle(options):
    """Put the whole course into a folder for a room without internet, or verify such a folder."""
    from .. import bundle as stick

    if options.check:
        return stick.check(options.folder)
    stick.make(options.folder, options.platform, options.python_version, options.notebooks)


def add_to(commands):
    """Describe these commands to the parser.

    Parameters
    ----------
    commands : argparse._SubParsersAction
    """
    solved = commands.add_parser(
        "progress",
        help="which exercises are solved and which are left; when none is left, a certificate",
        description="List the chapters with a mark for each exercise that `check` found right. The list is one file on "
        "this machine (BLOODCELL_PROGRESS_FILE); nothing leaves it.",
    )
    solved.add_argument(
        "--page", type=Path, metavar="FILE", help="write it as a page; the certificate, if all is solved"
    )
    solved.add_argument("--name", default="", help="to stand on the certificate")
    solved.add_argument("--reset", action="store_true", help="begin anew; the old list is set aside, not deleted")
    solved.set_defaults(command=learnt)

    asking = commands.add_parser(
        "questions",
        help="the questions of the chapters, also for a learning-management system",
        description="Without options: how many questions each chapter has.",
        epilog=MOODLE,
    )
    asking.add_argument("--moodle", type=Path, metavar="FILE", help="write the questions there, as Moodle XML")
    asking.add_argument("--chapter", nargs="+", metavar="NAME", help="only these chapters (default: all)")
    asking.set_defaults(command=questions)

    check = commands.add_parser(
        "doctor",
        help="would the course run here? what is missing, and what to do",
        description="Examine Python, memory, disk, folders, JupyterLab, Keras and the network that comes with it.",
        epilog="exit status: 0 the sample profile runs, 1 something that it needs is missing",
    )
    check.set_defaults(command=doctor)

    offline = commands.add_parser(
        "classroom-bundle",
        help="the whole course in a folder, for a room without internet",
        description="Put wheels of all locked packages, the notebooks, the built book and instructions into a folder, "
        "for a USB stick. What is there already, with the right checksum, is kept.",
    )
    offline.add_argument("folder", type=Path, help="new, empty, or an earlier bundle")
    tags = (
        "pip's name of a platform: win_amd64, macosx_14_0_arm64, manylinux_2_28_x86_64; again for more (default: this)"
    )
    offline.add_argument("--platform", action="append", metavar="TAG", help=tags)
    pythons = "of the students' computers; again for more (default: the one that runs this)"
    offline.add_argument("--python-version", action="append", metavar="3.X", help=pythons)
    offline.add_argument("--notebooks", type=Path, metavar="DIR", help="another edition (default: notebooks)")
    offline.add_argument("--check", action="store_true", help="write nothing: verify the checksums")
    offline.set_defaults(command=bundle)
