//! OpenSearch, one node on loopback, as its documentation would have titles searched: `fuzziness: AUTO`, accents folded.
//!
//! The distribution that the registries have comes without the filter that folds accents, so they are folded here, in
//! titles and in questions, and it finds what it would find with it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use matinee_contracts::catalog::{Title, TitleKind};
use matinee_search::fold::folded;
use reqwest::Client;
use serde_json::{Value, json};

use super::timed;
use crate::measure::Failure;

const FIELDS: [&str; 3] = ["name", "original_name", "localized"];

/// The server. It stops when this is dropped.
pub struct OpenSearch {
    client: Client,
    address: String,
    stopped: bool,
}

/// Without accents.
fn plain(text: &str) -> String {
    folded(text, 100)
}

fn engine(verb: &str) -> Result<String, Failure> {
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/engines/engine");
    let output = Command::new(program).args([verb, "opensearch"]).output()?;
    if !output.status.success() {
        return Err(format!("opensearch could not {verb}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.lines().last().unwrap_or_default().trim().to_owned())
}

impl OpenSearch {
    /// Starts it and gives it the movies and series.
    pub async fn start(titles: &[Title]) -> Result<Self, Failure> {
        let address = engine("start")?;
        let peer = Self { client: Client::new(), address, stopped: false };
        // Of a measurement before, if it was left.
        let _ = peer.client.delete(format!("{}/titles", peer.address)).send().await?;
        let text = json!({ "type": "text", "analyzer": "standard" });
        let index = json!({
            "settings": { "number_of_shards": 1, "number_of_replicas": 0 },
            "mappings": { "properties": { "name": text, "original_name": text, "localized": text } },
        });
        let made = peer.client.put(format!("{}/titles", peer.address)).json(&index).send().await?;
        made.error_for_status()?;
        let shown: Vec<&Title> = titles.iter().filter(|title| title.kind() != TitleKind::Episode).collect();
        for page in shown.chunks(1_000) {
            let mut body = String::new();
            for title in page {
                let localized: Vec<String> = title.localized.iter().map(|words| plain(&words.name)).collect();
                let (name, original_name) = (plain(&title.name), plain(&title.original_name));
                let document = json!({ "name": name, "original_name": original_name, "localized": localized });
                body += &format!("{}\n{document}\n", json!({ "index": { "_id": title.id } }));
            }
            let sent = peer.client.post(format!("{}/titles/_bulk", peer.address));
            let sent = sent.header("content-type", "application/x-ndjson").body(body).send().await?;
            let answer: Value = sent.error_for_status()?.json().await?;
            if answer["errors"] != json!(false) {
                return Err(format!("OpenSearch did not take all titles: {answer}").into());
            }
        }
        let merged = peer.client.post(format!("{}/titles/_forcemerge?max_num_segments=1", peer.address)).send().await?;
        merged.error_for_status()?;
        peer.client.post(format!("{}/titles/_refresh", peer.address)).send().await?.error_for_status()?;
        Ok(peer)
    }

    async fn ask(&self, query: Value) -> Result<Value, Failure> {
        let body = json!({ "size": 20, "query": { "multi_match": query } });
        let answer = self.client.post(format!("{}/titles/_search", self.address)).json(&body).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// The first title that is found.
    pub async fn first(&self, query: &str) -> Result<Option<String>, Failure> {
        let answer = self.ask(json!({ "query": plain(query), "fields": FIELDS, "fuzziness": "AUTO" })).await?;
        Ok(answer["hits"]["hits"][0]["_id"].as_str().map(str::to_owned))
    }

    /// How long an answer takes while the last word is typed.
    pub async fn typed(&self, query: &str) -> Result<Duration, Failure> {
        let query = json!({ "query": plain(query), "fields": FIELDS, "type": "bool_prefix", "fuzziness": "AUTO" });
        timed(async { self.ask(query).await.map(|_| ()) }).await
    }

    /// Stops it.
    pub fn stop(mut self) -> Result<(), Failure> {
        self.stopped = true;
        engine("stop").map(|_| ())
    }
}

impl Drop for OpenSearch {
    fn drop(&mut self) {
        if !self.stopped {
            let _ = engine("stop");
        }
    }
}
