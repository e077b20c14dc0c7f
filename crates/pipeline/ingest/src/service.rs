//! The contract of ingest, as gRPC.

use std::collections::BTreeMap;

use futures::stream::BoxStream;
use matinee_contracts::ingest::ingest_server::{Ingest, IngestServer};
use matinee_contracts::ingest::{
    AddFileProgress, AddFileRequest, GetMasterRequest, ListUploadsReply, ListUploadsRequest, Master, Sidecar, Upload,
};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::io::ReaderStream;
use tonic::{Request, Response, Status, async_trait};

use crate::error::IngestError;
use crate::intake::IngestService;
use crate::store;

/// Bytes of a file that are read at once.
const BLOCK: usize = 1 << 20;

impl IngestService {
    /// Its gRPC server.
    #[must_use]
    pub fn server(&self) -> IngestServer<Self> {
        IngestServer::new(self.clone())
    }

    async fn master(&self, id: &str) -> Result<Master, IngestError> {
        let upload = self.store.get(id).await?;
        if upload.kind == "master" && upload.finished_us == 0 {
            return Err(IngestError::Unknown(format!("{id} that is whole")));
        }
        let mut sidecars = Vec::new();
        for companion in self.store.companions(&upload.id, &upload.title).await? {
            if companion.kind == "subtitles" {
                sidecars.push(Sidecar {
                    object: companion.object.clone(),
                    file_name: companion.told("filename").to_owned(),
                    language: companion.told("language").to_owned(),
                    label: companion.told("label").to_owned(),
                    blake3: companion.blake3.clone(),
                    size: companion.size,
                });
            }
        }
        Ok(Master {
            object: upload.object.clone(),
            file_name: upload.told("filename").to_owned(),
            size: upload.size,
            blake3: upload.blake3.clone(),
            title: upload.title.clone(),
            finished_us: upload.finished_us,
            metadata: upload.metadata.clone().into_iter().collect(),
            sidecars,
            id: upload.id,
        })
    }

    /// Takes a file in and says how far it is.
    async fn take(
        &self,
        path: &str,
        metadata: BTreeMap<String, String>,
        tell: &mpsc::Sender<Result<AddFileProgress, Status>>,
    ) -> Result<Master, IngestError> {
        let unreadable = |error: std::io::Error| IngestError::File { path: path.to_owned(), error };
        let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let found = file.metadata().await.map_err(unreadable)?;
        if !found.is_file() {
            return Err(IngestError::Refused(format!("{path} is no file")));
        }
        let size = found.len();
        let upload = self.begin(size, metadata).await?;
        let mut read = 0;
        let bytes = ReaderStream::with_capacity(file, BLOCK).map(|part| {
            if let Ok(part) = &part {
                read += part.len() as u64;
                // Progress that nobody waits for is left out.
                let _ = tell.try_send(Ok(AddFileProgress { read, size, master: None }));
            }
            part
        });
        let written = self.write(&upload.id, 0, None, bytes).await;
        match written {
            Ok(upload) if upload.finished_us > 0 => self.master(&upload.id).await,
            Ok(short) => {
                let reason = format!("{path} ended at byte {} of {size}: it changed while it was read", short.offset);
                self.terminate(&upload.id).await?;
                Err(IngestError::Refused(reason))
            }
            Err(error) => {
                if let Err(left) = self.terminate(&upload.id).await {
                    tracing::warn!(upload = upload.id, %left, "what came of a file could not be thrown away");
                }
                Err(error)
            }
        }
    }
}

fn listed(upload: store::Upload) -> Upload {
    Upload {
        size: upload.size,
        offset: upload.offset,
        metadata: upload.metadata.into_iter().collect(),
        created_us: upload.created_us,
        expires_us: upload.expires_us,
        finished: upload.finished_us > 0,
        id: upload.id,
    }
}

#[async_trait]
impl Ingest for IngestService {
    async fn list_uploads(&self, _: Request<ListUploadsRequest>) -> Result<Response<ListUploadsReply>, Status> {
        let uploads = self.store.list().await?.into_iter().map(listed).collect();
        Ok(Response::new(ListUploadsReply { uploads }))
    }

    async fn get_master(&self, request: Request<GetMasterRequest>) -> Result<Response<Master>, Status> {
        Ok(Response::new(self.master(&request.into_inner().id).await?))
    }

    async fn add_file(
        &self,
        request: Request<AddFileRequest>,
    ) -> Result<Response<BoxStream<'static, Result<AddFileProgress, Status>>>, Status> {
        let AddFileRequest { path, metadata } = request.into_inner();
        let (tell, told) = mpsc::channel(16);
        let service = self.clone();
        tokio::spawn(async move {
            let metadata = metadata.into_iter().collect();
            let last = match service.take(&path, metadata, &tell).await {
                Ok(master) => Ok(AddFileProgress { read: master.size, size: master.size, master: Some(master) }),
                Err(error) => Err(Status::from(error)),
            };
            // Nobody waits for it: then nobody has to be told.
            let _ = tell.send(last).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(told))))
    }
}
