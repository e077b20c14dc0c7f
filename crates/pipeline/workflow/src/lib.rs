//! matinee-workflow.
