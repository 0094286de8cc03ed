//! One blocking connection to one broker: requests out, answers in, in order.
//!
//! It must never know topics or leaders. Versions are the broker's affair and ours: for each API the newest that both
//! serve, learnt by ApiVersions when the connection opens. Several requests may be on their way at a time; answers come
//! in the order of the requests. After an error that [breaks](ClientError::breaks_connection) it, drop the connection.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IoSlice, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::error::ClientError;
use crate::wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use crate::wire::{self, ApiKey, ErrorCode, Message, Piece, Request};

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection to be accepted.
    pub connect: Duration,
    /// For the answer to a request, counted from when we start to wait for it.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
        }
    }
}

/// An answer longer than this is refused: room for the largest batch a broker can be set to accept in practice.
const ANSWER_BYTES_MAX: usize = 320 << 20;

/// Memory for an answer is taken in steps of this as its bytes arrive, so that four bytes cannot claim much.
const READ_STEP_BYTES: usize = 1 << 20;

/// How we name ourselves in ApiVersions.
const SOFTWARE_NAME: &str = "vltava";

/// A connection to one broker.
#[derive(Debug)]
pub struct Connection {
    address: String,
    stream: TcpStream,
    client_id: String,
    timeouts: Timeouts,
    next_correlation_id: i32,
    /// What the broker serves: lowest and highest version by API key.
    theirs: BTreeMap<i16, (i16, i16)>,
    /// Sent and not yet answered, oldest first.
    unanswered: VecDeque<Unanswered>,
}

#[derive(Debug, Clone, Copy)]
struct Unanswered {
    correlation_id: i32,
    key: ApiKey,
    version: i16,
}

impl Connection {
    /// Connects to `HOST:PORT` (the first of its addresses that accepts) and learns what the broker serves.
    ///
    /// # Errors
    /// When the host has no address, nobody accepts, or the answer is not that of a Kafka broker.
    pub fn open(
        address: &str,
        client_id: &str,
        timeouts: Timeouts,
    ) -> Result<Connection, ClientError> {
        let stream = connect(address, timeouts.connect)?;
        let mut connection = Connection {
            address: address.to_owned(),
            stream,
            client_id: client_id.to_owned(),
            timeouts,
            next_correlation_id: 0,
            theirs: BTreeMap::new(),
            unanswered: VecDeque::new(),
        };
        connection.learn_versions()?;
        Ok(connection)
    }

    /// The broker's address, as it was given.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The socket, for who wants to set its options.
    pub fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// How many requests are on their way.
    pub fn unanswered(&self) -> usize {
        self.unanswered.len()
    }

    /// Sends one request and waits for its answer.
    ///
    /// # Errors
    /// See [`ClientError`]; error codes inside the answer are the caller's to read.
    ///
    /// # Panics
    /// If earlier requests are still unanswered: their answers would come first.
    pub fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, ClientError> {
        assert!(
            self.unanswered.is_empty(),
            "receive the earlier answers first"
        );
        self.send(request)?;
        self.receive::<R>()
    }

    /// As [`Connection::call`], in version `newest` at most: for a request that says in older versions what the newest says
    /// in another way (topics by name in place of their ids).
    ///
    /// # Errors
    /// As [`Connection::call`].
    ///
    /// # Panics
    /// As [`Connection::call`].
    pub fn call_at_most<R: Request>(
        &mut self,
        request: &R,
        newest: i16,
    ) -> Result<R::Response, ClientError> {
        assert!(
            self.unanswered.is_empty(),
            "receive the earlier answers first"
        );
        let version = self.version_of::<R>()?.min(newest);
        let correlation_id = self.write_at(request, version)?;
        self.unanswered.push_back(Unanswered {
            correlation_id,
            key: R::KEY,
            version,
        });
        self.receive::<R>()
    }

    /// Sends a request whose answer [`Connection::receive`] will fetch later.
    ///
    /// # Errors
    /// When the broker does not serve the API, or sending fails.
    pub fn send<R: Request>(&mut self, request: &R) -> Result<(), ClientError> {
        let (correlation_id, version) = self.write_request(request)?;
        self.unanswered.push_back(Unanswered {
            correlation_id,
            key: R::KEY,
            version,
        });
        Ok(())
    }

    /// Sends a request that the broker does not answer: Produce with acks=0.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub fn send_unanswered<R: Request>(&mut self, request: &R) -> Result<(), ClientError> {
        self.write_request(request).map(|_| ())
    }

    /// Waits for the answer to the oldest unanswered request.
    ///
    /// # Errors
    /// See [`ClientError`].
    ///
    /// # Panics
    /// If nothing is unanswered, or the oldest unanswered request is of another API.
    pub fn receive<R: Request>(&mut self) -> Result<R::Response, ClientError> {
        let sent = self
            .unanswered
            .pop_front()
            .expect("a request was sent before its answer is awaited");
        assert!(
            sent.key == R::KEY,
            "the next answer is one to {:?}",
            sent.key
        );
        let frame = self.read_frame(R::KEY.name())?;
        self.decode::<R>(frame, sent)
    }

    /// Sends a frame that the caller made, and whose answer the caller will read from [`Connection::socket`].
    ///
    /// # Errors
    /// Those of the socket.
    pub fn write_pieces(&self, pieces: &[Piece]) -> io::Result<()> {
        write_pieces(&mut &self.stream, pieces)
    }

    /// The version in which requests of this API are sent: the newest that both sides serve.
    ///
    /// # Errors
    /// [`ClientError::NoCommonVersion`].
    pub fn version_of<R: Request>(&self) -> Result<i16, ClientError> {
        let (our_min, our_max) = spoken::<R>().into_inner();
        let theirs = self.theirs.get(&(R::KEY as i16)).copied();
        match theirs {
            Some((min, max)) if our_max.min(max) >= our_min.max(min) => Ok(our_max.min(max)),
            _ => Err(ClientError::NoCommonVersion {
                address: self.address.clone(),
                api: R::KEY.name(),
                theirs: theirs.map_or("none".to_owned(), |(min, max)| format!("{min}-{max}")),
                ours: format!("{our_min}-{our_max}"),
            }),
        }
    }

    /// ApiVersions in our newest version; a broker that does not know it answers in version 0 and says what it knows.
    fn learn_versions(&mut self) -> Result<(), ClientError> {
        let ours = *ApiVersionsRequest::VERSIONS.end();
        let mut answer = self.ask_versions(ours)?;
        if answer.error_code == ErrorCode::UNSUPPORTED_VERSION {
            let theirs = answer
                .api_keys
                .iter()
                .find(|row| row.api_key == ApiKey::ApiVersions as i16);
            let theirs = theirs.map_or(0, |row| row.max_version).clamp(0, ours);
            answer = self.ask_versions(theirs)?;
        }
        if answer.error_code != ErrorCode::NONE {
            return Err(ClientError::Broker {
                what: format!("{} answers ApiVersions", self.address),
                code: answer.error_code,
                message: None,
            });
        }
        self.theirs = answer
            .api_keys
            .iter()
            .map(|row| (row.api_key, (row.min_version, row.max_version)))
            .collect();
        Ok(())
    }

    fn ask_versions(&mut self, version: i16) -> Result<ApiVersionsResponse, ClientError> {
        let request = ApiVersionsRequest {
            client_software_name: SOFTWARE_NAME.into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
        };
        let correlation_id = self.write_at(&request, version)?;
        let frame = self.read_frame("ApiVersions")?;
        let unsupported =
            frame.get(4..6) == Some(&ErrorCode::UNSUPPORTED_VERSION.0.to_be_bytes()[..]);
        let version = if unsupported { 0 } else { version };
        self.decode::<ApiVersionsRequest>(
            frame,
            Unanswered {
                correlation_id,
                key: ApiKey::ApiVersions,
                version,
            },
        )
    }

    fn write_request<R: Request>(&mut self, request: &R) -> Result<(i32, i16), ClientError> {
        let version = self.version_of::<R>()?;
        Ok((self.write_at(request, version)?, version))
    }

    fn write_at<R: Request>(&mut self, request: &R, version: i16) -> Result<i32, ClientError> {
        let correlation_id = self.next_correlation_id;
        self.next_correlation_id = correlation_id.wrapping_add(1) & i32::MAX;
        let pieces = wire::encode_request(Some(&self.client_id), correlation_id, version, request);
        let sent = self.stream.set_write_timeout(Some(self.timeouts.request));
        sent.and_then(|()| self.write_pieces(&pieces))
            .map_err(|error| self.broken("sending", R::KEY.name(), error, self.timeouts.request))?;
        Ok(correlation_id)
    }

    fn decode<R: Request>(
        &self,
        frame: Bytes,
        sent: Unanswered,
    ) -> Result<R::Response, ClientError> {
        let api = R::KEY.name();
        let (correlation_id, answer) = wire::decode_response::<R>(frame, sent.version)
            .map_err(|error| ClientError::wire(&self.address, api, &error))?;
        if correlation_id != sent.correlation_id {
            let reason = format!(
                "it answers request {correlation_id}, not {}",
                sent.correlation_id
            );
            return Err(ClientError::Protocol {
                address: self.address.clone(),
                api,
                reason,
            });
        }
        Ok(answer)
    }

    /// One frame without its length.
    fn read_frame(&mut self, api: &'static str) -> Result<Bytes, ClientError> {
        let deadline = Instant::now() + self.timeouts.request;
        let mut prefix = Vec::with_capacity(4);
        self.read_exactly(&mut prefix, 4, deadline, api)?;
        let claimed = i32::from_be_bytes([prefix[0], prefix[1], prefix[2], prefix[3]]);
        match usize::try_from(claimed) {
            Ok(length) if length <= ANSWER_BYTES_MAX => {
                let mut frame = Vec::with_capacity(length.min(READ_STEP_BYTES));
                self.read_exactly(&mut frame, length, deadline, api)?;
                Ok(Bytes::from(frame))
            }
            _ => Err(ClientError::Protocol {
                address: self.address.clone(),
                api,
                reason: format!("a frame of {claimed} bytes"),
            }),
        }
    }

    /// Appends `length` bytes of the stream to `buffer`, which grows as they arrive.
    fn read_exactly(
        &mut self,
        buffer: &mut Vec<u8>,
        length: usize,
        deadline: Instant,
        api: &'static str,
    ) -> Result<(), ClientError> {
        while buffer.len() < length {
            let left = deadline
                .saturating_duration_since(Instant::now())
                .max(Duration::from_millis(1));
            let step = (length - buffer.len()).min(READ_STEP_BYTES);
            let read = self.stream.set_read_timeout(Some(left));
            let read = read.and_then(|()| (&self.stream).take(step as u64).read_to_end(buffer));
            match read {
                Ok(0) => {
                    return Err(ClientError::Closed {
                        address: self.address.clone(),
                        doing: waiting_for(api),
                    });
                }
                Ok(_) => {}
                Err(error) => {
                    return Err(self.broken(
                        "waiting for the answer to",
                        api,
                        error,
                        self.timeouts.request,
                    ));
                }
            }
        }
        Ok(())
    }

    fn broken(&self, doing: &str, api: &str, source: io::Error, waited: Duration) -> ClientError {
        let (address, doing) = (self.address.clone(), format!("{doing} {api}"));
        match source.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ClientError::TimedOut {
                address,
                doing,
                waited,
            },
            _ => ClientError::Io {
                address,
                doing,
                source,
            },
        }
    }
}

fn waiting_for(api: &str) -> String {
    format!("waiting for the answer to {api}")
}

/// The first of the address's sockets that accepts. Small requests are not held back (TCP_NODELAY).
fn connect(address: &str, timeout: Duration) -> Result<TcpStream, ClientError> {
    let candidates = match address.contains(':') {
        true => address.to_socket_addrs(),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "write HOST:PORT",
        )),
    };
    let candidates = candidates.map_err(|source| ClientError::Resolve {
        address: address.to_owned(),
        source,
    })?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for candidate in candidates {
        match TcpStream::connect_timeout(&candidate, timeout) {
            Ok(stream) => {
                let set = stream.set_nodelay(true);
                return set.map(|()| stream).map_err(|source| ClientError::Connect {
                    address: address.to_owned(),
                    source,
                });
            }
            Err(error) => last = error,
        }
    }
    Err(ClientError::Connect {
        address: address.to_owned(),
        source: last,
    })
}

/// Writes all pieces with as few system calls as the socket allows.
fn write_pieces(stream: &mut impl Write, pieces: &[Piece]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Bytes(bytes) => IoSlice::new(bytes),
            Piece::External { .. } => unreachable!("a client's requests carry their own bytes"),
        })
        .collect();
    let mut slices = &mut slices[..];
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match stream.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Our versions of an API: offsets of groups are asked for by the names of topics, which ends before version 10.
fn spoken<R: Request>() -> RangeInclusive<i16> {
    const LAST_BY_NAME: i16 = 9;
    match R::KEY {
        ApiKey::OffsetCommit | ApiKey::OffsetFetch => *R::VERSIONS.start()..=LAST_BY_NAME,
        _ => R::VERSIONS,
    }
}

#[cfg(test)]
mod tests;
