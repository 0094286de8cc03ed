//! For tests: a broker on loopback that answers as its script says, and can do what real ones do only on bad days.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use super::cluster::{Cluster, ClusterOptions};
use super::connection::Timeouts;
use crate::types::TopicId;
use crate::wire::messages::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
use crate::wire::messages::metadata::{
    MetadataRequest, MetadataResponse, MetadataResponseBroker, MetadataResponsePartition,
    MetadataResponseTopic,
};
use crate::wire::{
    ApiKey, Message, Piece, Reader, Request, RequestHeader, decode_request_header, encode_response,
};

/// The topic every scripted broker has, and its partitions.
pub const TOPIC: &str = "t";
pub const PARTITIONS: i32 = 2;

/// What the script does with a request.
pub enum Reaction {
    /// These bytes, whatever they are.
    Bytes(Vec<u8>),
    /// Nothing, for ever.
    Silence,
    /// The connection ends.
    Close,
}

/// A request as the script sees it.
pub struct Asked {
    pub header: RequestHeader,
    pub body: Reader,
    port: u16,
}

impl Asked {
    /// The request, if it is of this API.
    pub fn decode<R: Request>(&mut self) -> Option<R> {
        (self.header.api_key == R::KEY as i16)
            .then(|| R::decode(&mut self.body, self.header.api_version).expect("our own encoding"))
    }

    /// The answer to it.
    pub fn answer<M: Message>(&self, body: &M) -> Reaction {
        let key = ApiKey::from_number(self.header.api_key).expect("our own request");
        let (id, version) = (self.header.correlation_id, self.header.api_version);
        let pieces = encode_response(id, key, version, body);
        Reaction::Bytes(pieces.iter().flat_map(piece_bytes).copied().collect())
    }

    /// What an ordinary broker says to ApiVersions and Metadata; other requests have no ordinary answer.
    pub fn ordinary_answer(&mut self) -> Reaction {
        if self.decode::<ApiVersionsRequest>().is_some() {
            return self.answer(&all_versions());
        }
        let asked = self
            .decode::<MetadataRequest>()
            .expect("nothing else is ordinary");
        let wanted = asked.topics.is_none_or(|topics| !topics.is_empty());
        self.answer(&metadata(self.port, wanted))
    }
}

fn piece_bytes(piece: &Piece) -> &[u8] {
    match piece {
        Piece::Bytes(bytes) => bytes,
        Piece::External { .. } => panic!("a script has no files"),
    }
}

fn all_versions() -> ApiVersionsResponse {
    let row = |api_key| ApiVersion {
        api_key,
        min_version: 0,
        max_version: 12,
    };
    ApiVersionsResponse {
        api_keys: (0..80).map(row).collect(),
        ..Default::default()
    }
}

fn metadata(port: u16, with_topic: bool) -> MetadataResponse {
    let partition = |partition_index| MetadataResponsePartition {
        partition_index,
        leader_id: 7,
        replica_nodes: vec![7],
        isr_nodes: vec![7],
        ..Default::default()
    };
    let topic = MetadataResponseTopic {
        name: Some(TOPIC.into()),
        topic_id: TopicId::from_u128(99),
        partitions: (0..PARTITIONS).map(partition).collect(),
        ..Default::default()
    };
    MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: 7,
            host: "127.0.0.1".into(),
            port: port.into(),
            rack: None,
        }],
        controller_id: 7,
        topics: if with_topic { vec![topic] } else { Vec::new() },
        ..Default::default()
    }
}

/// Starts a broker; `script` is asked about every request of every connection. Its address.
pub fn start(script: impl FnMut(&mut Asked) -> Reaction + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let script = Arc::new(Mutex::new(script));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let script = Arc::clone(&script);
            thread::spawn(move || serve(stream, address.port(), &script));
        }
    });
    address.to_string()
}

fn serve<S: FnMut(&mut Asked) -> Reaction>(mut stream: TcpStream, port: u16, script: &Mutex<S>) {
    while let Some(frame) = read_frame(&mut stream) {
        let mut body = Reader::new(frame);
        let header = decode_request_header(&mut body).expect("our own encoding");
        let mut asked = Asked { header, body, port };
        let reaction = script.lock().unwrap_or_else(PoisonError::into_inner)(&mut asked);
        match reaction {
            Reaction::Bytes(bytes) if stream.write_all(&bytes).is_ok() => {}
            Reaction::Bytes(_) | Reaction::Close => return,
            Reaction::Silence => {}
        }
    }
}

fn read_frame(stream: &mut TcpStream) -> Option<Bytes> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame).ok()?;
    Some(frame.into())
}

/// A cluster of one scripted broker, and a client with little patience.
pub fn cluster_of(address: String) -> Cluster {
    Cluster::connect(ClusterOptions {
        bootstrap: vec![address],
        client_id: "test".to_owned(),
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(5),
        },
        patience: Duration::from_secs(2),
    })
    .unwrap()
}
