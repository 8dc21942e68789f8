"""Settings of nbgrader for this course: copy it into the course folder, beside ``source``."""

c = get_config()  # noqa: F821  (nbgrader gives it)

c.CourseDirectory.course_id = "blood-cells"
c.ClearSolutions.code_stub = {"python": "answer = ...  # your turn: put your answer in the place of the dots"}
c.ExecutePreprocessor.timeout = 300  # seconds a cell
