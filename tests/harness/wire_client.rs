//! One connection spoken to byte by byte: requests in any version, frames that no client would send, and what comes back.
//!
//! Every wait has a deadline, so that a broker which does not answer fails the test and does not hang it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use vltava::wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use vltava::wire::{self, ErrorCode, Piece, Request};

/// Generous: what is waited for comes in milliseconds on an idle machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A connection to the broker under test.
pub struct WireClient {
    stream: TcpStream,
    next_correlation_id: i32,
}

impl WireClient {
    /// Connects to 127.0.0.1.
    pub fn connect(port: u16) -> WireClient {
        WireClient::adopt(TcpStream::connect(("127.0.0.1", port)).expect("the broker accepts"))
    }

    /// Takes over a connected socket.
    pub fn adopt(stream: TcpStream) -> WireClient {
        stream.set_nodelay(true).expect("a TCP socket");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        stream
            .set_write_timeout(Some(DEADLINE))
            .expect("a deadline");
        WireClient {
            stream,
            next_correlation_id: 1,
        }
    }

    /// The socket itself.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends a request and returns its answer.
    pub fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let sent = self.send(version, request);
        let (answered, response) = self.receive::<R>(version);
        assert_eq!(answered, sent, "the answer to another request");
        response
    }

    /// Sends a request and returns its correlation id.
    pub fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        let id = self.next_correlation_id;
        self.next_correlation_id += 1;
        self.send_bytes(&request_bytes(id, version, request));
        id
    }

    /// Waits for the next answer, which must be one to `R` in `version`.
    pub fn receive<R: Request>(&mut self, version: i16) -> (i32, R::Response) {
        let frame = self.read_frame();
        wire::decode_response::<R>(frame, version)
            .unwrap_or_else(|error| panic!("{} version {version}: {error}", R::KEY))
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .expect("the broker takes bytes");
    }

    /// Sends bytes; that the broker has closed already is as good.
    pub fn send_bytes_to_whoever_listens(&mut self, bytes: &[u8]) {
        match self.stream.write_all(bytes) {
            Err(error) if !is_disconnect(&error) => panic!("sending: {error}"),
            _ => {}
        }
    }

    /// The client sends nothing more.
    pub fn finish_sending(&mut self) {
        self.stream
            .shutdown(Shutdown::Write)
            .expect("an open socket");
    }

    /// The next frame, without its length.
    pub fn read_frame(&mut self) -> Bytes {
        let mut length = [0; 4];
        self.stream
            .read_exact(&mut length)
            .expect("an answer in time");
        let length = i32::from_be_bytes(length);
        let mut frame = vec![0; usize::try_from(length).expect("a length is not negative")];
        self.stream
            .read_exact(&mut frame)
            .expect("the rest of the answer");
        Bytes::from(frame)
    }

    /// The broker closes this connection without sending anything more.
    pub fn assert_closed(&mut self, why: &str) {
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(0) => {}
            Err(error) if is_disconnect(&error) => {}
            Ok(_) => panic!("{why}: something is answered"),
            Err(error) => panic!("{why}: the connection stays open: {error}"),
        }
    }

    /// Nothing comes within `quiet`, and the connection is not closed.
    pub fn assert_silent(&mut self, quiet: Duration) {
        self.stream
            .set_read_timeout(Some(quiet))
            .expect("a deadline");
        let mut byte = [0];
        let read = self.stream.read(&mut byte);
        self.stream
            .set_read_timeout(Some(DEADLINE))
            .expect("a deadline");
        let error = read.expect_err("nothing may come, and the connection stays open");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
    }

    /// The connection still works.
    pub fn assert_serves(&mut self) -> ApiVersionsResponse {
        let answer = self.call(0, &ApiVersionsRequest::default());
        assert_eq!(answer.error_code, ErrorCode::NONE);
        answer
    }
}

fn is_disconnect(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionReset | ConnectionAborted | BrokenPipe
    )
}

/// A request as it goes over the wire, length included.
pub fn request_bytes<R: Request>(correlation_id: i32, version: i16, request: &R) -> Vec<u8> {
    let pieces = wire::encode_request(Some("test"), correlation_id, version, request);
    let bytes = pieces.iter().map(|piece| match piece {
        Piece::Bytes(bytes) => bytes.as_ref(),
        Piece::External { .. } => unreachable!("a request has its own bytes"),
    });
    bytes.collect::<Vec<_>>().concat()
}

/// `body` behind its length.
pub fn frame(body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len()).expect("a small frame");
    [&length.to_be_bytes(), body].concat()
}

/// Key, version, correlation id and no client id: what stands before the body of a request that is not flexible.
pub fn request_header(key: i16, version: i16) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend_from_slice(&key.to_be_bytes());
    header.extend_from_slice(&version.to_be_bytes());
    header.extend_from_slice(&7_i32.to_be_bytes());
    header.extend_from_slice(&(-1_i16).to_be_bytes());
    header
}

/// Asks again and again until `done`.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < DEADLINE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}
