//! What a graph must look like to be taken: names, bounds, and no task that waits for itself.

use std::collections::{HashMap, HashSet};

use matinee_contracts::workflow::{FailRequest, Outcome, StartRequest, TaskSpec};

use crate::error::WorkflowError;

/// Most tasks of one workflow.
pub const MOST_TASKS: usize = 20_000;
/// Most dependencies of one task.
pub const MOST_DEPENDENCIES: usize = 20_000;
/// Bytes of a task's parameters.
pub const MOST_PARAMS: usize = 256 << 10;
/// Bytes of a task's result.
pub const MOST_RESULT: usize = 1 << 20;
/// Files of one output.
pub const MOST_FILES: usize = 10_000;
/// Bytes of a failure's reason.
pub const MOST_REASON: usize = 8 << 10;
/// Bytes of a failure's diagnostics.
pub const MOST_DIAGNOSTICS: usize = 64 << 10;
/// Bytes of a progress note.
pub const MOST_NOTE: usize = 1 << 10;
/// Bytes of ids, names, types, tools and affinities.
pub const MOST_NAME: usize = 512;
/// Bytes of one message of the contract.
pub const MOST_MESSAGE: usize = 64 << 20;

/// Refuses a workflow that can't run.
pub fn check_start(request: &StartRequest) -> Result<(), WorkflowError> {
    check_name("workflow id", &request.id)?;
    check_name("workflow kind", &request.kind)?;
    check_length("the subject", request.subject.len(), MOST_NAME)?;
    if request.tasks.is_empty() {
        return Err(WorkflowError::field("tasks", "", "a workflow has at least one"));
    }
    check_tasks(&request.tasks, &HashSet::new(), 0)
}

/// Refuses an outcome that is too large or of which a file is out of its place.
pub fn check_outcome(outcome: &Outcome) -> Result<(), WorkflowError> {
    check_length("the result", outcome.result.len(), MOST_RESULT)?;
    check_length("the number of files", outcome.files.len(), MOST_FILES)?;
    check_length("the number of spawned tasks", outcome.spawn.len(), MOST_TASKS)?;
    if !outcome.result.is_empty() {
        serde_json::from_str::<serde::de::IgnoredAny>(&outcome.result)
            .map_err(|error| WorkflowError::field("result", &outcome.result, format!("it is not JSON: {error}")))?;
    }
    for file in &outcome.files {
        check_name("file name", &file.name)?;
        check_name("file object", &file.object)?;
    }
    Ok(())
}

/// Refuses a failure whose words are too long.
pub fn check_failure(request: &FailRequest) -> Result<(), WorkflowError> {
    check_length("the reason", request.reason.len(), MOST_REASON)?;
    check_length("the diagnostics", request.diagnostics.len(), MOST_DIAGNOSTICS)
}

/// Refuses tasks that can't be added to a workflow that has `existing` ones.
///
/// Tasks may depend on each other and on existing ones. A task whose name exists is left out by the caller; the rest must
/// have names of their own, and must not wait for each other in a circle.
pub fn check_tasks(tasks: &[TaskSpec], existing: &HashSet<String>, count: usize) -> Result<(), WorkflowError> {
    check_length("the number of tasks", tasks.len() + count, MOST_TASKS)?;
    let mut names: HashMap<&str, usize> = HashMap::with_capacity(tasks.len());
    for (at, task) in tasks.iter().enumerate() {
        check_task(task)?;
        if names.insert(&task.name, at).is_some() {
            return Err(WorkflowError::DuplicateTask(task.name.clone()));
        }
    }
    for task in tasks {
        for needs in &task.depends_on {
            if !names.contains_key(needs.as_str()) && !existing.contains(needs) {
                return Err(WorkflowError::UnknownDependency { task: task.name.clone(), needs: needs.clone() });
            }
        }
    }
    check_acyclic(tasks, &names)
}

/// Takes away, again and again, the tasks that wait for none of the rest (Kahn, 1962); what remains is a circle.
fn check_acyclic(tasks: &[TaskSpec], names: &HashMap<&str, usize>) -> Result<(), WorkflowError> {
    let mut waits = vec![0usize; tasks.len()];
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); tasks.len()];
    for (at, task) in tasks.iter().enumerate() {
        for needs in task.depends_on.iter().filter_map(|needs| names.get(needs.as_str())) {
            waits[at] += 1;
            dependents[*needs].push(at);
        }
    }
    let mut free: Vec<usize> = (0..tasks.len()).filter(|at| waits[*at] == 0).collect();
    let mut taken = 0;
    while let Some(at) = free.pop() {
        taken += 1;
        for dependent in &dependents[at] {
            waits[*dependent] -= 1;
            if waits[*dependent] == 0 {
                free.push(*dependent);
            }
        }
    }
    if taken == tasks.len() {
        return Ok(());
    }
    let circle: Vec<&str> =
        (0..tasks.len()).filter(|at| waits[*at] > 0).map(|at| tasks[at].name.as_str()).take(8).collect();
    Err(WorkflowError::Cycle(circle.join(", ")))
}

fn check_task(task: &TaskSpec) -> Result<(), WorkflowError> {
    check_name("task name", &task.name)?;
    check_name("task type", &task.r#type)?;
    check_name("task pool", &task.pool)?;
    check_length("the tool", task.tool.len(), MOST_NAME)?;
    check_length("the affinity", task.affinity.len(), MOST_NAME)?;
    check_length("the number of dependencies", task.depends_on.len(), MOST_DEPENDENCIES)?;
    check_length(&format!("the parameters of task {}", task.name), task.params.len(), MOST_PARAMS)?;
    if !task.params.is_empty()
        && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&task.params).is_err()
    {
        return Err(WorkflowError::field("params", &task.params, format!("task {} takes a JSON object", task.name)));
    }
    let mut seen = HashSet::new();
    for needs in &task.depends_on {
        if !seen.insert(needs) {
            return Err(WorkflowError::field("depends_on", needs, format!("task {} names it twice", task.name)));
        }
    }
    Ok(())
}

fn check_name(field: &'static str, value: &str) -> Result<(), WorkflowError> {
    if value.is_empty() || value.len() > MOST_NAME || value.chars().any(char::is_control) {
        let reason = format!("1 to {MOST_NAME} bytes without control characters are taken");
        return Err(WorkflowError::field(field, value, reason));
    }
    Ok(())
}

/// Refuses a `what` of `is` where it is over `limit`.
pub(crate) fn check_length(what: &str, is: usize, limit: usize) -> Result<(), WorkflowError> {
    if is > limit {
        return Err(WorkflowError::TooLarge { what: what.to_owned(), is, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str, needs: &[&str]) -> TaskSpec {
        TaskSpec {
            name: name.into(),
            r#type: "encode".into(),
            pool: "cpu".into(),
            depends_on: needs.iter().map(|n| (*n).to_owned()).collect(),
            ..TaskSpec::default()
        }
    }

    #[test]
    fn a_circle_names_its_tasks() {
        let refused =
            check_tasks(&[task("a", &["c"]), task("b", &["a"]), task("c", &["b"]), task("d", &[])], &HashSet::new(), 0);
        assert_eq!(refused.unwrap_err().to_string(), "tasks wait for each other in a circle: a, b, c");
    }

    #[test]
    fn a_dependency_must_exist_or_be_added_too() {
        let existing = HashSet::from(["slice".to_owned()]);
        check_tasks(&[task("b", &["a", "slice"]), task("a", &[])], &existing, 1).unwrap();
        let refused = check_tasks(&[task("b", &["nothing"])], &existing, 1).unwrap_err();
        assert_eq!(refused.to_string(), "task b depends on \"nothing\", which is not a task of the workflow");
    }

    #[test]
    fn bounds_are_said() {
        let many: Vec<_> = (0..=MOST_TASKS).map(|n| task(&n.to_string(), &[])).collect();
        let refused = check_tasks(&many, &HashSet::new(), 0).unwrap_err().to_string();
        assert_eq!(refused, "the number of tasks is 20001, at most 20000 is taken");
        let refused =
            check_outcome(&Outcome { result: "x".repeat(MOST_RESULT + 1), ..Outcome::default() }).unwrap_err();
        assert_eq!(refused.to_string(), "the result is 1048577, at most 1048576 is taken");
    }
}
