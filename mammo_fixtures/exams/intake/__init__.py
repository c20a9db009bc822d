"""Getting exams in: from a folder of DICOM files to a manifest, with a list of what was left out and why."""
