//! One question to a broker's admin endpoint: HTTP GET, the answer in bounded memory and time.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;
use thiserror::Error;

/// The longest answer that is taken, in bytes.
const ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum HttpError {
    /// Nobody listens, or not in time.
    #[error(
        "cannot reach the admin endpoint at {address}: {reason}; does the broker run with --admin {address}?"
    )]
    Unreachable {
        /// Who was asked.
        address: String,
        /// What the system says.
        reason: io::Error,
    },
    /// It answered something else.
    #[error("{address} answers {status:?} to GET {path}")]
    Refused {
        /// Who was asked.
        address: String,
        /// For what.
        path: String,
        /// The first line of the answer.
        status: String,
    },
}

/// The body of the answer to `GET path`, if it is 200.
///
/// # Errors
/// See [`HttpError`].
pub fn get(address: &str, path: &str, patience: Duration) -> Result<String, HttpError> {
    let unreachable = |reason| HttpError::Unreachable {
        address: address.to_owned(),
        reason,
    };
    let answer = ask(address, path, patience).map_err(unreachable)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(HttpError::Refused {
            address: address.to_owned(),
            path: path.to_owned(),
            status: status.to_owned(),
        });
    }
    Ok(body.to_owned())
}

/// The whole answer; the other side closes behind it.
fn ask(address: &str, path: &str, patience: Duration) -> io::Result<String> {
    let mut addresses = address.to_socket_addrs()?;
    let first = addresses.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let mut stream = TcpStream::connect_timeout(&first, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let question = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES).read_to_string(&mut answer)?;
    Ok(answer)
}
