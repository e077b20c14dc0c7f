//! Training: a model over the lake, judged on profiles that it has not seen, at the lowest priority.

use std::sync::Arc;
use std::time::{Duration, Instant};

use matinee_contracts::lake::lake_client::LakeClient;
use matinee_contracts::lake::{File, FilesRequest, FlushRequest};
use matinee_engines::objects::ObjectStorage;
use matinee_service::channel::Channel;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::als::evaluate::rank;
use crate::als::{FoldIn, Options, Quality, Sparse, evaluate, factorise};
use crate::error::RecommendError;
use crate::memory::InUse;
use crate::model::{Header, Model};
use crate::plays::{Gathered, Plays};
use crate::titles::Titles;

/// Of so many profiles one is held back.
const HELD_ONE_OF: usize = 10;
/// Profiles that are held back at most.
const MOST_HELD: usize = 10_000;
/// Titles below which a profile is not asked: some are shown to the model, the others are to be found.
const ASKED_FROM: usize = 4;
/// Of a held profile's titles, one of so many is to be found.
const TO_FIND_ONE_OF: usize = 4;
/// How much of the quality of the model in use a new one must reach: less than this is chance.
const NO_WORSE: f64 = 0.99;

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Between two trainings.
    pub every: Duration,
    /// Threads; they run only where nothing else wants the processor.
    pub threads: usize,
    /// Pairs of a profile and a title that are learnt from at most, the latest days first.
    pub most_plays: usize,
    /// Profiles with two titles or more below which nothing can be learnt.
    pub fewest_profiles: usize,
    /// How much surer a finished title is than one that was not watched.
    pub alpha: f32,
    /// The factorisation.
    pub als: Options,
}

impl Default for Training {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            every: Duration::from_secs(24 * 3600),
            threads: cores.div_ceil(2),
            most_plays: 10_000_000,
            fewest_profiles: 50,
            alpha: 10.0,
            als: Options::default(),
        }
    }
}

/// Threads that work only where nothing else does.
#[derive(Debug, Clone)]
pub struct Quiet(Arc<ThreadPool>);

impl Quiet {
    /// So many.
    pub fn new(threads: usize) -> Result<Self, RecommendError> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|n| format!("train-{n}"))
            .start_handler(|_| stand_back())
            .build();
        Ok(Self(Arc::new(pool.map_err(|error| RecommendError::Threads(error.to_string()))?)))
    }

    /// Does `work` there, and waits for it without holding a thread.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, RecommendError> {
        let (done, answer) = tokio::sync::oneshot::channel();
        self.0.spawn(move || {
            // Whoever asked may be gone.
            let _ = done.send(work());
        });
        answer.await.map_err(|_| RecommendError::Threads("a training stopped".to_owned()))
    }
}

/// Lets everybody else run first. Where a system refuses, the thread runs as others do.
fn stand_back() {
    static IDLE: libc::sched_param = libc::sched_param { sched_priority: 0 };
    // SAFETY: both change the calling thread only (0); the parameter outlives the call.
    unsafe {
        libc::nice(19);
        libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const IDLE);
    }
}

/// Where plays come from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Says which files there are.
    pub lake: LakeClient<Channel>,
    /// Holds them.
    pub objects: ObjectStorage,
}

impl Source {
    /// Reads the lake, the latest days first, until `most` pairs are known.
    pub async fn plays(&self, titles: &Arc<Titles>, most: usize, quiet: &Quiet) -> Result<Plays, RecommendError> {
        let answer =
            |status: tonic::Status| RecommendError::Answer { service: "the lake", reason: status.message().to_owned() };
        let mut lake = self.lake.clone();
        lake.flush(FlushRequest {}).await.map_err(answer)?;
        let mut gathered = Gathered::new(most);
        for topic in ["ratings", "heartbeats"] {
            let request = FilesRequest { topic: topic.to_owned(), ..FilesRequest::default() };
            let mut files = lake.files(request).await.map_err(answer)?.into_inner().files;
            files.sort_by(|a, b| (&b.day, b.first_offset).cmp(&(&a.day, a.first_offset)));
            for file in files {
                if gathered.full() {
                    break;
                }
                gathered = self.read(file, gathered, titles, quiet).await?;
            }
        }
        quiet.run(move || gathered.plays()).await
    }

    async fn read(
        &self,
        file: File,
        mut gathered: Gathered,
        titles: &Arc<Titles>,
        quiet: &Quiet,
    ) -> Result<Gathered, RecommendError> {
        let (local, titles) = (self.objects.local_file(&file.object).await?, Arc::clone(titles));
        let (object, ratings) = (file.object.clone(), file.topic == "ratings");
        let read = quiet.run(move || {
            let read = if ratings {
                gathered.ratings(&local.path, &titles)
            } else {
                gathered.heartbeats(&local.path, &titles)
            };
            read.map(|()| gathered)
        });
        read.await?.map_err(|reason| RecommendError::Lake { object, reason })
    }
}

/// A new model, and whether it is to be used.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Whether it is no worse than the one in use, or where there is none, than to recommend what is watched most.
    pub no_worse: bool,
}

/// Learns from `plays`. Blocks; to be called on [`Quiet`] threads.
pub fn train(
    plays: &Plays,
    titles: &Titles,
    used: Option<&InUse>,
    how: &Training,
    trained_us: i64,
) -> Result<Trained, RecommendError> {
    let start = Instant::now();
    let several = plays.profiles.iter().filter(|its| its.len() >= 2).count();
    if several < how.fewest_profiles {
        return Err(RecommendError::TooLittle { profiles: several, needed: how.fewest_profiles });
    }
    let split = Split::of(plays, how.alpha);
    let found = factorise(&split.learnt, &how.als, |done| tracing::debug!(done, of = how.als.iterations, "training"));
    let fold = FoldIn::new(found.items, how.als.clone());
    let quality = split.quality(&fold);
    let known = |number: &u32| titles.fact(*number).map_or(String::new(), |fact| fact.id.to_string());
    let header = Header {
        id: format!("m{trained_us}"),
        trained_us,
        factors: how.als.factors,
        regularization: how.als.regularization,
        scaling: how.als.scaling,
        alpha: how.alpha,
        profiles: plays.profiles.len() as u64,
        plays: plays.profiles.iter().map(Vec::len).sum::<usize>() as u64,
        recall_at_20: quality.recall_at_20,
        ndcg_at_100: quality.ndcg_at_100,
        seconds: start.elapsed().as_secs_f64(),
        titles: plays.titles.iter().map(known).collect(),
    };
    let other = used.map_or_else(|| split.popularity(), |used| split.quality_of(used, &plays.titles));
    let no_worse = quality.profiles == 0
        || (quality.recall_at_20 >= NO_WORSE * other.recall_at_20
            && quality.ndcg_at_100 >= NO_WORSE * other.ndcg_at_100);
    tracing::info!(?quality, ?other, no_worse, "a model was trained");
    Ok(Trained { model: Model { header, fold }, no_worse })
}

/// Profiles to learn from and profiles to ask.
struct Split {
    learnt: Sparse,
    // Of the asked profiles: what the model is shown, and what it is to find.
    shown: Sparse,
    to_find: Sparse,
}

impl Split {
    fn of(plays: &Plays, alpha: f32) -> Self {
        let (mut learnt, mut shown, mut to_find) = (Vec::new(), Vec::new(), Vec::new());
        let (mut rows, mut asked) = (0, 0);
        for (n, its) in plays.profiles.iter().enumerate() {
            let held = n % HELD_ONE_OF == 0 && its.len() >= ASKED_FROM && asked < MOST_HELD;
            let row = if held { &mut asked } else { &mut rows };
            for (place, (column, interest)) in its.iter().enumerate() {
                let entry = (*row as u32, *column, 1.0 + alpha * interest);
                match held {
                    false => learnt.push(entry),
                    true if place % TO_FIND_ONE_OF == n / HELD_ONE_OF % TO_FIND_ONE_OF => to_find.push(entry),
                    true => shown.push(entry),
                }
            }
            *row += 1;
        }
        let width = plays.titles.len();
        let of = |rows, entries| Sparse::of(rows, width, entries);
        Self { learnt: of(rows, learnt), shown: of(asked, shown), to_find: of(asked, to_find) }
    }

    fn watched(&self, n: usize) -> Vec<(u32, f32)> {
        let (columns, confidences) = self.shown.row(n);
        columns.iter().copied().zip(confidences.iter().copied()).collect()
    }

    fn quality(&self, fold: &FoldIn) -> Quality {
        evaluate(fold.items(), &self.shown, &self.to_find, |n| fold.fold(&self.watched(n)))
    }

    /// Of a model whose rows are other titles than our columns.
    fn quality_of(&self, used: &InUse, titles: &[u32]) -> Quality {
        let rows: Vec<Option<u32>> = titles.iter().map(|title| used.row(*title)).collect();
        rank(&self.shown, &self.to_find, |n, scores| {
            let watched = self.watched(n);
            let known = watched.iter().filter_map(|(column, confidence)| Some((rows[*column as usize]?, *confidence)));
            let vector = used.model.fold.fold(&known.collect::<Vec<_>>());
            let mut by_row = Vec::new();
            used.model.fold.items().scores(&vector, &mut by_row);
            let score = |row: &Option<u32>| row.and_then(|row| by_row.get(row as usize).copied());
            *scores = rows.iter().map(|row| score(row).unwrap_or(f32::NEG_INFINITY)).collect();
        })
    }

    /// Of recommending to everybody what most watched.
    fn popularity(&self) -> Quality {
        let mut counts = vec![0.0; self.learnt.width()];
        for row in 0..self.learnt.rows() {
            self.learnt.row(row).0.iter().for_each(|column| counts[*column as usize] += 1.0);
        }
        rank(&self.shown, &self.to_find, |_, scores| scores.clone_from(&counts))
    }
}
