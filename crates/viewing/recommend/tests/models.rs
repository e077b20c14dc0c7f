//! Models: trained over the lake, judged, taken in use, and used.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use matinee_contracts::catalog::Title;
use matinee_contracts::recommend::{ListModelsRequest, TrainRequest, UseModelRequest};
use tonic::Code;

use crate::world::{MINUTE_US, NOW_US, Play, World, movie};

/// 120 profiles of two tastes: each watched most of the ten titles of its own.
fn plays() -> Vec<Play> {
    let mut plays = Vec::new();
    for profile in 0..120_u32 {
        for n in (0..10).filter(|n| (n * 7 + profile) % 4 != 0) {
            let title = format!("{}{n}", if profile % 2 == 0 { "even" } else { "odd" });
            plays.push(Play { profile: format!("p{profile}"), title, percent: 99 });
        }
    }
    plays
}

fn titles() -> Vec<Title> {
    (0..10).flat_map(|n| [movie(&format!("even{n}")), movie(&format!("odd{n}"))]).collect()
}

#[tokio::test]
async fn a_model_is_trained_over_the_lake_and_knows_tastes() {
    let world = World::open(&titles()).await;
    world.lake.keep(&plays());
    let model = world.client.clone().train(TrainRequest {}).await.unwrap().into_inner();
    assert!(model.in_use && model.recall_at_20 > 0.9 && model.ndcg_at_100 > 0.5, "{model:?}");
    assert_eq!((model.profiles, model.titles, model.plays), (120, 20, plays().len() as u64));
    // Nobody has watched anything in front of this service: what it knows is the model's.
    world.watch("new", "odd3", NOW_US - MINUTE_US, 99).await;
    for row in ["for-you", "because/odd3"] {
        let found = world.row("new", row).await;
        assert!(found.iter().take(6).all(|title| title.starts_with("odd")), "{row}: {found:?}");
    }
    let world = world.restarted().await;
    world.until_model(&model.id).await;
    world.close().await;
}

#[tokio::test]
async fn an_earlier_model_can_be_taken_in_use_again() {
    let world = World::open(&titles()).await;
    world.lake.keep(&plays());
    let first = world.client.clone().train(TrainRequest {}).await.unwrap().into_inner();
    world.clock.set(NOW_US + MINUTE_US);
    let second = world.client.clone().train(TrainRequest {}).await.unwrap().into_inner();
    assert!(second.in_use, "the same quality is no worse");
    let listed = || async {
        let models = world.client.clone().list_models(ListModelsRequest {}).await.unwrap().into_inner().models;
        models.into_iter().map(|model| (model.id, model.in_use)).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [(second.id.clone(), true), (first.id.clone(), false)]);
    world.client.clone().use_model(UseModelRequest { id: first.id.clone() }).await.unwrap();
    assert_eq!(listed().await, [(second.id, false), (first.id, true)]);
    for (id, code) in [("m1", Code::NotFound), ("../x", Code::InvalidArgument), ("", Code::InvalidArgument)] {
        let refused = world.client.clone().use_model(UseModelRequest { id: id.to_owned() }).await.unwrap_err();
        assert_eq!(refused.code(), code, "{id:?}: {}", refused.message());
    }
    world.close().await;
}

#[tokio::test]
async fn a_model_that_is_worse_is_kept_and_not_used() {
    let world = World::open(&titles()).await;
    world.lake.keep(&plays());
    let first = world.client.clone().train(TrainRequest {}).await.unwrap().into_inner();
    let world = world.with(matinee_recommend::als::Options { iterations: 0, ..Default::default() }).await;
    world.until_model(&first.id).await;
    world.clock.set(NOW_US + MINUTE_US);
    let worse = world.client.clone().train(TrainRequest {}).await.unwrap().into_inner();
    assert!(!worse.in_use && worse.ndcg_at_100 < first.ndcg_at_100, "{worse:?}");
    assert_eq!(world.model().await, first.id);
    world.close().await;
}

#[tokio::test]
async fn too_little_to_learn_from_is_said() {
    let world = World::open(&titles()).await;
    let status = world.client.clone().train(TrainRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("0 profiles"), "{}", status.message());
    world.close().await;
}

#[tokio::test]
async fn a_damaged_model_leaves_rows_as_they_are_without_one() {
    let world = World::open(&titles()).await;
    world.lake.keep(&plays());
    let model = world.client.clone().train(TrainRequest {}).await.unwrap().into_inner();
    let key = format!("models/{}", model.id);
    let mut bytes = world.objects.get(&key).await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    world.objects.put(&key, bytes.into()).await.unwrap();
    let refused = world.client.clone().use_model(UseModelRequest { id: model.id.clone() }).await.unwrap_err();
    assert_eq!(refused.code(), Code::DataLoss);
    let world = world.restarted().await;
    assert_eq!(world.model().await, "");
    assert!(!world.home("p1").await.is_empty());
    world.close().await;
}
