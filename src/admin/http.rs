//! As much of HTTP/1.1 as is needed to answer GET and HEAD: one request a connection, every size and time bounded.

use httparse::Status;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Bytes of a request's head.
const HEAD_BYTES: usize = 8 * 1024;
const HEADERS: usize = 64;
/// A client has this long to ask, and to take a piece of its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A question.
#[derive(PartialEq, Eq, Debug)]
pub struct Asked {
    /// Without the query.
    pub path: String,
    /// Behind the question mark; empty if there is none.
    pub query: String,
    /// Only the head of the answer is wanted.
    pub head_only: bool,
}

impl Asked {
    /// The value of a name in the query. Names and values of ours need no escapes, so none are undone.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(known, _)| *known == name);
        found.next().map(|(_, value)| value)
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answered {
    /// Such as "200 OK".
    pub status: &'static str,
    /// What the body is.
    pub content_type: &'static str,
    /// What is said.
    pub body: String,
}

impl Answered {
    /// Words for people and probes.
    pub fn words(status: &'static str, words: impl Into<String>) -> Answered {
        let mut body = words.into();
        body.push('\n');
        Answered {
            status,
            content_type: "text/plain; charset=utf-8",
            body,
        }
    }
}

/// Reads a question. `Err` is the answer to what is none.
///
/// # Errors
/// The outer one: the socket's, or that the client was too slow. There is nobody to answer to then.
pub fn read(stream: &mut TcpStream) -> io::Result<Result<Asked, Answered>> {
    let deadline = Instant::now() + PATIENCE;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (mut head, mut length) = ([0; HEAD_BYTES], 0);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut head[length..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => length += more,
        }
        match parse(&head[..length]) {
            Some(parsed) => return Ok(parsed),
            None if length == HEAD_BYTES => {
                let status = "431 Request Header Fields Too Large";
                return Ok(Err(Answered::words(
                    status,
                    "the request's head is too long",
                )));
            }
            None => {}
        }
    }
}

/// `None` while the head is not whole.
fn parse(head: &[u8]) -> Option<Result<Asked, Answered>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(Status::Partial) => return None,
        Ok(Status::Complete(_)) => {}
        Err(error) => {
            let words = format!("this is no HTTP request: {error}");
            return Some(Err(Answered::words("400 Bad Request", words)));
        }
    }
    let method = request.method.unwrap_or_default();
    if !matches!(method, "GET" | "HEAD") {
        let words = "only GET and HEAD are served: nothing can be changed here";
        return Some(Err(Answered::words("405 Method Not Allowed", words)));
    }
    let target = request.path.unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Ok(Asked {
        path: path.to_owned(),
        query: query.to_owned(),
        head_only: method == "HEAD",
    }))
}

/// Sends an answer; the connection ends with it.
///
/// # Errors
/// The socket's, or that the client does not take it.
pub fn write(stream: &mut TcpStream, answer: &Answered, head_only: bool) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nAllow: GET, HEAD\r\nConnection: close\r\n\r\n",
        answer.status,
        answer.content_type,
        answer.body.len()
    );
    stream.write_all(head.as_bytes())?;
    if !head_only {
        stream.write_all(answer.body.as_bytes())?;
    }
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_taken_apart_and_half_of_one_is_waited_for() {
        let whole = b"GET /latency.hgrm?name=write&core=1 HTTP/1.1\r\nHost: x\r\n\r\n";
        assert!(parse(&whole[..whole.len() - 2]).is_none());
        let asked = parse(whole).expect("whole").expect("a question");
        assert_eq!(asked.path, "/latency.hgrm");
        assert_eq!(asked.parameter("name"), Some("write"));
        assert_eq!(asked.parameter("core"), Some("1"));
        assert_eq!(asked.parameter("other"), None);
    }

    #[test]
    fn what_is_no_question_is_refused_in_words() {
        let refused = |head: &[u8]| parse(head).expect("decided").expect_err("refused").status;
        assert_eq!(refused(b"\x00\x01\x02\r\n\r\n"), "400 Bad Request");
        assert_eq!(
            refused(b"POST / HTTP/1.1\r\n\r\n"),
            "405 Method Not Allowed"
        );
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS + 1));
        assert_eq!(refused(many.as_bytes()), "400 Bad Request");
    }
}
