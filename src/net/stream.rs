//! One connected socket, shared by the task that reads it and the task that writes it.
//!
//! Receives and sends are tried at once; only when the socket is not ready does the runtime's stream wait for it.

use crate::io::socket;
use futures_lite::{AsyncRead, AsyncWrite};
use glommio::net::{AcceptedTcpStream, TcpStream};
use socket2::SockRef;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Memory that receives land in while nobody knows yet whose frame they are; one a core.
pub type Scratch = Rc<RefCell<Box<[u8]>>>;

/// Kernel buffer sizes for accepted sockets, in bytes; `None` leaves the system's default.
#[derive(Clone, Copy, Debug, Default)]
pub struct SocketBuffers {
    /// `socket.send.buffer.bytes`
    pub send: Option<usize>,
    /// `socket.receive.buffer.bytes`
    pub receive: Option<usize>,
}

/// A connected socket on its core.
#[derive(Debug)]
pub struct Stream {
    inner: RefCell<TcpStream>,
    peer: SocketAddr,
    full_since: Cell<Option<Instant>>,
}

impl Stream {
    /// Takes over an accepted socket on the core that calls.
    ///
    /// # Errors
    /// When the socket has gone already or cannot be configured.
    pub fn adopt(accepted: AcceptedTcpStream, buffers: SocketBuffers) -> io::Result<Rc<Stream>> {
        let inner = accepted.bind_to_executor();
        socket::set_nonblocking(&inner)?;
        let peer = socket::with_socket(&inner, |sock| configure(&sock, buffers))?;
        Ok(Rc::new(Stream {
            inner: RefCell::new(inner),
            peer,
            full_since: Cell::new(None),
        }))
    }

    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Waits for bytes and appends at most `limit` of them to `pending`, through the core's scratch memory.
    ///
    /// Returns 0 when the peer has closed its side. Cancel safety: bytes are appended in the poll that receives them, so none are lost.
    ///
    /// # Errors
    /// What `recv(2)` says.
    pub async fn receive(
        &self,
        scratch: &Scratch,
        pending: &mut Vec<u8>,
        limit: usize,
    ) -> io::Result<usize> {
        poll_fn(|cx| self.poll_receive(cx, scratch, pending, limit)).await
    }

    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        scratch: &Scratch,
        pending: &mut Vec<u8>,
        limit: usize,
    ) -> Poll<io::Result<usize>> {
        let mut scratch = scratch.borrow_mut();
        let room = scratch.len().min(limit);
        let mut inner = self.inner.borrow_mut();
        let polled = Pin::new(&mut *inner).poll_read(cx, &mut scratch[..room]);
        if let Poll::Ready(Ok(received)) = &polled {
            pending.extend_from_slice(&scratch[..*received]);
        }
        polled
    }

    /// Receives what is there into the spare capacity of `buffer`, at most `limit` bytes, without waiting.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there; otherwise what `recv(2)` says.
    pub fn receive_now(&self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        socket::receive_into(&*self.inner.borrow(), buffer, limit)
    }

    /// Wakes the reader only when `bytes` have arrived; see [`socket::set_receive_low_water`].
    pub fn set_receive_low_water(&self, bytes: usize) {
        // Only a hint: a socket that has just gone says so on its next receive.
        drop(socket::set_receive_low_water(&*self.inner.borrow(), bytes));
    }

    /// Sends all of `bytes`, waiting for the peer to take them. `more` announces that data follows at once.
    ///
    /// # Errors
    /// What `send(2)` says; the connection is then of no further use.
    pub async fn send_all(&self, mut bytes: &[u8], more: bool) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = socket::send(&*self.inner.borrow(), bytes, more);
            let sent = match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.send_when_ready(bytes).await?
                }
                other => other?,
            };
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    /// Sends what the socket takes of `bytes` without waiting, and returns its size.
    ///
    /// # Errors
    /// `WouldBlock` when the socket is full; otherwise as [`Stream::send_all`].
    pub fn send_now(&self, bytes: &[u8]) -> io::Result<usize> {
        socket::send(&*self.inner.borrow(), bytes, false)
    }

    /// How long the socket has been full because the client takes nothing.
    pub fn full_for(&self, now: Instant) -> Duration {
        let since = self.full_since.get();
        since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Sends a part of `bytes` once the socket takes data again, and returns its size.
    ///
    /// # Errors
    /// As [`Stream::send_all`].
    pub async fn send_when_ready(&self, bytes: &[u8]) -> io::Result<usize> {
        if self.full_since.get().is_none() {
            self.full_since.set(Some(Instant::now()));
        }
        let sent =
            poll_fn(|cx| Pin::new(&mut *self.inner.borrow_mut()).poll_write(cx, bytes)).await;
        self.full_since.set(None);
        sent
    }

    /// Moves up to `length` bytes of `file` to the socket without waiting; the pages must be resident.
    ///
    /// # Errors
    /// `WouldBlock` when the socket is full; otherwise what `sendfile(2)` says.
    pub fn send_file_now(
        &self,
        file: &impl AsRawFd,
        position: u64,
        length: usize,
    ) -> io::Result<usize> {
        socket::send_file(&*self.inner.borrow(), file, position, length)
    }

    /// Ends one or both directions; the tasks that use them notice by themselves.
    pub fn shut_down(&self, how: Shutdown) {
        // An error means that the peer was faster.
        drop(socket::with_socket(&*self.inner.borrow(), |sock| {
            sock.shutdown(how)
        }));
    }
}

fn configure(sock: &SockRef<'_>, buffers: SocketBuffers) -> io::Result<SocketAddr> {
    sock.set_tcp_nodelay(true)?;
    sock.set_keepalive(true)?;
    if let Some(bytes) = buffers.send {
        sock.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = buffers.receive {
        sock.set_recv_buffer_size(bytes)?;
    }
    sock.peer_addr()?
        .as_socket()
        .ok_or_else(|| io::ErrorKind::Unsupported.into())
}
