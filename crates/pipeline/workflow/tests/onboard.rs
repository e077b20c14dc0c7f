//! New masters, heard of from the real event log, start their workflow once.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::time::Duration;

use bytes::Bytes;
use matinee_contracts::events::MasterUploaded;
use matinee_contracts::ingest::ingest_client::IngestClient;
use matinee_contracts::ingest::ingest_server::{Ingest, IngestServer};
use matinee_contracts::ingest::{GetMasterRequest, ListUploadsReply, ListUploadsRequest, Master, Sidecar};
use matinee_contracts::workflow::{ListRequest, WorkflowSummary};
use matinee_engines::events::{self, EventLogConfig};
use matinee_service::channel::Channel;
use matinee_workflow::onboard::{self, Step, Tools};
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use world::World;

/// The other end of the ingest contract, which knows one master.
struct OneMaster;

#[tonic::async_trait]
impl Ingest for OneMaster {
    async fn list_uploads(&self, _: Request<ListUploadsRequest>) -> Result<Response<ListUploadsReply>, Status> {
        Ok(Response::new(ListUploadsReply::default()))
    }
    async fn get_master(&self, request: Request<GetMasterRequest>) -> Result<Response<Master>, Status> {
        if request.into_inner().id != "m1" {
            return Err(Status::not_found("no such master"));
        }
        let sidecar = Sidecar { object: "masters/s1".into(), language: "de".into(), ..Sidecar::default() };
        Ok(Response::new(Master { id: "m1".into(), sidecars: vec![sidecar], ..Master::default() }))
    }
}

fn tools() -> Tools {
    let step = |tool: &str| Step { tool: tool.into(), pool: "cpu".into(), params: serde_json::Map::new() };
    Tools { inspect: step("ffprobe 9"), slice: step("slice 1") }
}

async fn workflows(world: &World) -> Vec<WorkflowSummary> {
    world.client.clone().list(ListRequest::default()).await.unwrap().into_inner().workflows
}

#[tokio::test]
async fn a_master_starts_its_workflow_once_however_often_it_is_told() {
    let world = World::local().await;
    let folder = tempfile::tempdir().unwrap();
    let log = events::open(folder.path(), EventLogConfig::default()).await.unwrap();
    let master = |id: &str| MasterUploaded {
        master: id.into(),
        title: "film".into(),
        object: format!("masters/{id}"),
        size: 7,
        ..MasterUploaded::default()
    };
    for payload in
        [master("m1").encode_to_vec(), vec![0xff; 7], master("m1").encode_to_vec(), master("m2").encode_to_vec()]
    {
        log.append(onboard::TOPIC, "film", Bytes::from(payload)).await.unwrap();
    }
    let ingest = IngestClient::new(Channel::local(IngestServer::new(OneMaster)));
    let shutdown = CancellationToken::new();
    let consuming =
        tokio::spawn(onboard::consume(log.clone(), world.client.clone(), ingest, tools(), shutdown.clone()));
    for _ in 0..500 {
        if log.committed(onboard::TOPIC, onboard::GROUP).await.unwrap() == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(log.committed(onboard::TOPIC, onboard::GROUP).await.unwrap(), 4);
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(5), consuming).await.unwrap().unwrap();

    let mut ids: Vec<_> = workflows(&world).await.into_iter().map(|w| (w.id, w.kind, w.subject)).collect();
    ids.sort();
    let expected = ["onboard-m1", "onboard-m2"].map(|id| (id.to_owned(), "onboard".to_owned(), "film".to_owned()));
    assert_eq!(ids, expected);
    let (_, tasks) = world.show("onboard-m1").await;
    let params: serde_json::Value = serde_json::from_str(&tasks["inspect"].spec.as_ref().unwrap().params).unwrap();
    assert_eq!(params["sidecars"][0]["language"], "de");
    assert_eq!((params["object"].as_str(), params["size"].as_u64()), (Some("masters/m1"), Some(7)));
    assert_eq!(tasks["slice"].spec.as_ref().unwrap().depends_on, ["inspect"]);
}
