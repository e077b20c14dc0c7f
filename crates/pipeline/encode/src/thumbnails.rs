//! `thumbnails`: a picture every so often, a hundred on a sheet.

use std::sync::Arc;

use async_trait::async_trait;
use matinee_engines::objects::TemporaryFile;
use matinee_media::track::SheetLayout;
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};

use crate::inspection::VideoStream;
use crate::picture::{frames, to_sdr};
use crate::rendition::ThumbnailTask;
use crate::tool::{FfmpegProgress, ToolError, Tools, arguments, local_master};

/// The box that a thumbnail fits into, in pixels.
const BOX: (u32, u32) = (320, 180);
const COLUMNS: u32 = 10;
const ROWS: u32 = 10;

/// A folder of a task's own, gone when it ends.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes thumbnails.
#[derive(Debug, Clone)]
pub struct ThumbnailHandler {
    tools: Arc<Tools>,
}

/// How the thumbnails of a picture lie.
#[must_use]
pub fn layout(source: &VideoStream, interval_us: u64, duration_us: u64) -> SheetLayout {
    let (width, height) = (f64::from(source.display_width), f64::from(source.display_height));
    let factor = (f64::from(BOX.0) / width).min(f64::from(BOX.1) / height);
    let even = |pixels: f64| ((pixels / 2.0).round() as u32 * 2).max(2);
    SheetLayout {
        interval_us,
        width: even(width * factor),
        height: even(height * factor),
        columns: COLUMNS,
        rows: ROWS,
        count: u32::try_from(duration_us.div_ceil(interval_us.max(1)).max(1)).unwrap_or(u32::MAX),
    }
}

impl ThumbnailHandler {
    /// With these programs.
    #[must_use]
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }

    async fn make(&self, run: &TaskRun) -> Result<Done, TaskError> {
        let task: ThumbnailTask = run.params()?;
        let failed = |error: std::io::Error| TaskError::Retryable {
            reason: format!("the thumbnails can't be written: {error}"),
            diagnostics: String::new(),
        };
        let master = local_master(&run.objects, &task.master).await?;
        let layout = layout(&task.source, task.interval_us, task.duration_us);
        let folder = Folder(run.objects.scratch_path("sheets"));
        std::fs::create_dir_all(&folder.0).map_err(failed)?;
        let graph = format!(
            "[0:{}]{},select='gte(t+0.0005,selected_n*{:.6})',{},scale=out_range=full,format=yuvj420p,tile={COLUMNS}x{ROWS}[s]",
            task.source.index,
            frames(&task.source, 0, task.source.frames),
            task.interval_us as f64 / 1e6,
            to_sdr(&task.source, layout.width, layout.height, "yuv420p"),
        );
        let mut all = arguments(["-copyts", "-noautorotate", "-i"]);
        all.push(master.path.clone().into());
        all.extend(arguments(["-filter_complex", &graph, "-map", "[s]", "-fps_mode", "passthrough"]));
        all.extend(arguments(["-c:v", "mjpeg", "-q:v", "4", "-f", "image2", "-start_number", "0"]));
        all.push(folder.0.join("sheet-%05d.jpg").into());
        let length = task.duration_us.max(1) as f64;
        let tell = |at: &FfmpegProgress| run.progress.set((at.out_time_us as f64 / length).min(1.0), "");
        self.tools.ffmpeg(all, tell).await.map_err(ToolError::retryable)?;
        let mut files = Vec::new();
        for n in 0..layout.count.div_ceil(COLUMNS * ROWS) {
            let name = format!("sheet-{n:05}.jpg");
            let sheet = TemporaryFile(folder.0.join(&name));
            files.push(run.store_file(&name, &sheet.0).await?);
        }
        let result = serde_json::json!(layout);
        Ok(Done { result, files, spawn: Vec::new() })
    }
}

#[async_trait]
impl Handler for ThumbnailHandler {
    fn task_type(&self) -> &'static str {
        "thumbnails"
    }

    fn pool(&self) -> &'static str {
        "cpu"
    }

    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(self.make(&task).await);
        }
        done
    }
}
