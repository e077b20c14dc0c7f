//! `matinee ladder`: which renditions are made of a master, and everything that can be served from them.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use matinee_model::codec::{AudioLayout, VideoCodec, VideoRange};
use matinee_model::ladder::DEFAULT_LADDER;
use matinee_model::time::FrameRate;
use matinee_origin::combinations::{Stored, StoredAudio, StoredVideo, combinations};

use crate::config::Config;
use crate::terminal::{AnyError, table};

/// What to do with the ladder.
#[derive(Subcommand)]
pub enum LadderCommand {
    /// Prints the ladder in force, to be copied and changed.
    Show,
    /// Lists every combination that can be served of a master like this one.
    Explain(ExplainArgs),
}

/// A master, in a few words.
#[derive(Args)]
pub struct ExplainArgs {
    /// Its lines.
    #[arg(long, default_value_t = 2160)]
    height: u32,
    /// Its range: sdr, pq or hlg.
    #[arg(long, default_value = "pq")]
    range: String,
    /// Its frame rate.
    #[arg(long, default_value = "24000/1001")]
    fps: FrameRate,
    /// Its languages of sound.
    #[arg(long, default_value = "en,fr,de", value_delimiter = ',')]
    audio: Vec<String>,
    /// Whether it has six channels or more.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    surround: bool,
    /// Its languages of subtitles.
    #[arg(long, default_value = "en,fr,de", value_delimiter = ',')]
    subtitles: Vec<String>,
    /// Counts as if every codec of the ladder were switched on.
    #[arg(long)]
    all_codecs: bool,
    /// Prints only the counts.
    #[arg(long)]
    summary: bool,
}

/// Does it.
pub fn run(config: &Config, command: &LadderCommand) -> Result<(), AnyError> {
    match command {
        LadderCommand::Show => match &config.encode.ladder {
            None => print!("{DEFAULT_LADDER}"),
            Some(path) => print!("{}", std::fs::read_to_string(path)?),
        },
        LadderCommand::Explain(args) => explain(config, args)?,
    }
    Ok(())
}

fn explain(config: &Config, args: &ExplainArgs) -> Result<(), AnyError> {
    let range = match args.range.to_lowercase().as_str() {
        "sdr" => VideoRange::Sdr,
        "pq" => VideoRange::Pq,
        "hlg" => VideoRange::Hlg,
        other => return Err(format!("range {other:?} is refused: sdr, pq and hlg are taken").into()),
    };
    let mut ladder = config.ladder()?;
    if args.all_codecs {
        ladder.video.iter_mut().for_each(|rung| rung.enabled = true);
    }
    let stored = stored(&ladder, args, range);
    let profiles = config.profiles()?;
    let all: Vec<_> = combinations(&stored, &profiles).collect();
    if !args.summary {
        let head = ["VIDEO", "AUDIO", "SUBTITLES", "PACKAGING", "PROTECTION", "DEVICE"].map(str::to_owned).to_vec();
        let rows = all.iter().map(|c| {
            let subtitles = c.subtitles.clone().unwrap_or_else(|| "-".to_owned());
            let audio = c.audio.clone().unwrap_or_else(|| "-".to_owned());
            let packaging = format!("{:?}", c.packaging);
            vec![c.video.clone(), audio, subtitles, packaging, c.protection.name().to_owned(), c.profile.clone()]
        });
        print!("{}", table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
        println!();
    }
    let mut by_device = BTreeMap::new();
    for combination in &all {
        *by_device.entry(combination.profile.clone()).or_insert(0_u64) += 1;
    }
    for (device, count) in by_device {
        println!("{device}: {count}");
    }
    println!(
        "{} combinations, made when asked for, from {} stored tracks",
        all.len(),
        stored.video.len() + stored.audio.len() + stored.subtitles.len()
    );
    Ok(())
}

/// What would be stored of such a master.
fn stored(ladder: &matinee_model::ladder::Ladder, args: &ExplainArgs, range: VideoRange) -> Stored {
    let fps = args.fps.as_f64();
    let video = ladder.enabled().into_iter().filter(|rung| rung.height <= args.height).map(|rung| StoredVideo {
        name: format!("video-{}p-{}", rung.height, rung.codec),
        codec: rung.codec,
        range: if rung.codec == VideoCodec::H264 { VideoRange::Sdr } else { range },
        height: rung.height,
        fps: rung.max_fps.map_or(fps, |most| if fps > most + 0.5 { fps / 2.0 } else { fps }),
    });
    let layouts = ladder.audio.iter().map(|a| a.layout).filter(|l| *l == AudioLayout::Stereo || args.surround);
    let audio = layouts.flat_map(|layout| {
        args.audio
            .iter()
            .map(move |language| StoredAudio { name: format!("audio-{language}-{}", layout.name()), layout })
    });
    Stored {
        video: video.collect(),
        audio: audio.collect(),
        subtitles: args.subtitles.iter().map(|language| format!("subs-{language}")).collect(),
    }
}
