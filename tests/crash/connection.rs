//! A connection to a broker that may die at any moment: a call is answered, or nobody knows what became of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use vltava::wire::{self, Request};

use crate::harness::wire_client::{DEADLINE, request_bytes};

/// A connection that is opened when it is needed.
pub struct Connection {
    port: u16,
    stream: Option<TcpStream>,
}

impl Connection {
    /// To 127.0.0.1, not opened yet.
    pub fn to(port: u16) -> Connection {
        Connection { port, stream: None }
    }

    /// Asks once; `None` if no answer came, whether or not the broker has done what was asked.
    pub fn ask<R: Request>(&mut self, version: i16, request: &R) -> Option<R::Response> {
        let answer = self.exchange(&request_bytes(1, version, request));
        let Some(frame) = answer else {
            self.stream = None;
            thread::sleep(Duration::from_millis(20));
            return None;
        };
        let (_, response) = wire::decode_response::<R>(frame, version)
            .unwrap_or_else(|error| panic!("{} version {version}: {error}", R::KEY));
        Some(response)
    }

    fn exchange(&mut self, request: &[u8]) -> Option<Bytes> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
            stream.set_nodelay(true).ok()?;
            stream.set_read_timeout(Some(DEADLINE)).ok()?;
            self.stream = Some(stream);
        }
        let stream = self.stream.as_mut()?;
        stream.write_all(request).ok()?;
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let length = usize::try_from(i32::from_be_bytes(length)).expect("not negative");
        let mut frame = vec![0; length];
        stream.read_exact(&mut frame).ok()?;
        Some(Bytes::from(frame))
    }
}
