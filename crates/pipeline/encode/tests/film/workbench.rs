//! A film's way without a workflow service: the planned tasks run one after another, as soon as what they need is there.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use matinee_contracts::workflow::{Input, LeasedTask, Outcome, TaskSpec};
use matinee_encode::inspect::inspect_file;
use matinee_encode::inspection::Inspection;
use matinee_encode::slice::{Chunk, SliceTask, plan};
use matinee_engines::objects::ObjectStorage;
use matinee_engines::objects::folder::FolderStore;
use matinee_service::worker::{Handler, Progress, TaskRun};
use serde_json::json;

/// What was made of a film.
pub struct Made {
    pub inspection: Inspection,
    pub chunks: Vec<Chunk>,
    objects: ObjectStorage,
    inputs: HashMap<String, Input>,
    _folder: tempfile::TempDir,
}

impl Made {
    /// Runs every task of these types on the film.
    pub async fn of(film: &Path, ladder: &str, chunk_seconds: f64, types: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects: ObjectStorage = Arc::new(FolderStore::open(folder.path()).unwrap());
        let tools = Arc::new(super::tools().await);
        let size = std::fs::metadata(film).unwrap().len();
        let name = film.file_name().unwrap().to_str().unwrap();
        let inspection = inspect_file(&tools, film, name, size, &Progress::default()).await.unwrap();
        let copy = objects.scratch_path("film");
        std::fs::copy(film, &copy).unwrap();
        let stored = objects.put_file("masters/film", &copy).await.unwrap();
        let ladder: serde_json::Value = toml::from_str(ladder).unwrap();
        let task: SliceTask = serde_json::from_value(json!({
            "title": "film", "master": "film", "object": stored.key, "size": size, "blake3": stored.blake3,
            "ladder": ladder, "chunk_seconds": chunk_seconds, "thumbnail_seconds": 10.0, "vmaf_share": 0.0,
            "tool": "ffmpeg", "package_tool": "none",
        }))
        .unwrap();
        let (tasks, chunks) = plan(&task, &inspection);
        let mut made = Self { inspection, chunks, objects, inputs: HashMap::new(), _folder: folder };
        let report = Outcome { result: serde_json::to_string(&made.inspection).unwrap(), ..Outcome::default() };
        made.ended("inspect", "inspect", "inspect".to_owned(), report);
        let handlers = matinee_encode::handlers(&tools);
        for (n, spec) in tasks.into_iter().filter(|t| types.contains(&t.r#type.as_str())).enumerate() {
            let handler = handlers.iter().find(|h| h.task_type() == spec.r#type).unwrap();
            made.run(handler.as_ref(), spec, format!("{n:064}")).await;
        }
        made
    }

    async fn run(&mut self, handler: &dyn Handler, spec: TaskSpec, key: String) {
        let inputs = spec.depends_on.iter().map(|name| self.inputs[name].clone()).collect();
        let (name, kind) = (spec.name.clone(), spec.r#type.clone());
        let task = LeasedTask { spec: Some(spec), key: key.clone(), inputs, ..LeasedTask::default() };
        let run = TaskRun { task, objects: self.objects.clone(), progress: Progress::default() };
        let done = handler.run(vec![run]).await.remove(0).unwrap_or_else(|error| panic!("{name}: {error}"));
        let outcome = Outcome { result: done.result.to_string(), files: done.files, spawn: Vec::new() };
        self.ended(&name, &kind, key, outcome);
    }

    fn ended(&mut self, name: &str, kind: &str, key: String, outcome: Outcome) {
        let input = Input { name: name.to_owned(), r#type: kind.to_owned(), key, outcome: Some(outcome) };
        self.inputs.insert(name.to_owned(), input);
    }

    /// The only file that a task made.
    pub async fn file(&self, task: &str) -> std::path::PathBuf {
        let files = &self.inputs.get(task).unwrap_or_else(|| panic!("no {task}")).outcome.as_ref().unwrap().files;
        self.objects.local_file(&files[0].object).await.unwrap().path
    }

    /// What a task said.
    pub fn result(&self, task: &str) -> serde_json::Value {
        serde_json::from_str(&self.inputs[task].outcome.as_ref().unwrap().result).unwrap()
    }
}
