"""Settings of nbgrader for this course, for teachers and students: the page on grading says where it goes."""

c = get_config()  # noqa: F821  (nbgrader gives it)

c.CourseDirectory.course_id = "blood-cells"
c.Exchange.root = "/srv/nbgrader/exchange"  # yours: a folder that teachers and students can write to
c.ClearSolutions.code_stub = {"python": "answer = ...  # your turn: put your answer in the place of the dots"}
c.ExecutePreprocessor.timeout = 120  # seconds a cell; the longest took a quarter of that
