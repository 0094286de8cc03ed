//! The socket calls that the runtime does not offer: receive into a growing buffer, send with more to come, `sendfile`.
//!
//! All of them are non-blocking and return [`io::ErrorKind::WouldBlock`] when the socket is not ready; the caller waits
//! through the runtime's own stream. Knows nothing of frames.

use std::io;
use std::os::fd::AsRawFd;

fn check(returned: isize) -> io::Result<usize> {
    usize::try_from(returned).map_err(|_| io::Error::last_os_error())
}

/// Receives at most `limit` bytes onto the end of `buffer`, within its spare capacity.
///
/// Returns the number of bytes received; 0 means that the peer has closed its side (or that there was no room).
///
/// # Errors
/// `WouldBlock` when nothing has arrived; otherwise what `recv(2)` says.
pub fn receive_into(
    socket: &impl AsRawFd,
    buffer: &mut Vec<u8>,
    limit: usize,
) -> io::Result<usize> {
    let spare = buffer.spare_capacity_mut();
    let room = spare.len().min(limit);
    // SAFETY: `spare` is writable memory of at least `room` bytes that lives across the call.
    let received = check(unsafe {
        libc::recv(
            socket.as_raw_fd(),
            spare.as_mut_ptr().cast(),
            room,
            libc::MSG_DONTWAIT,
        )
    })?;
    let filled = buffer.len() + received;
    // SAFETY: the kernel has initialised `received` bytes right behind the old length, within capacity.
    unsafe { buffer.set_len(filled) };
    Ok(received)
}

/// Sends what fits of `bytes` at once. With `more` the kernel holds a partial segment back, since data follows.
///
/// # Errors
/// `WouldBlock` when the socket's buffer is full; otherwise what `send(2)` says.
pub fn send(socket: &impl AsRawFd, bytes: &[u8], more: bool) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL | if more { libc::MSG_MORE } else { 0 };
    // SAFETY: `bytes` is readable for its whole length across the call.
    check(unsafe {
        libc::send(
            socket.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            flags,
        )
    })
}

/// Moves up to `length` bytes of `file` from `position` to the socket without copying them through user space.
///
/// The socket must be in non-blocking mode ([`set_nonblocking`]), and the pages resident, or the call sleeps.
///
/// # Errors
/// `WouldBlock` when the socket's buffer is full; otherwise what `sendfile(2)` says. `Ok(0)` means the file ends before `position`.
pub fn send_file(
    socket: &impl AsRawFd,
    file: &impl AsRawFd,
    position: u64,
    length: usize,
) -> io::Result<usize> {
    let mut offset = i64::try_from(position).map_err(io::Error::other)?;
    // SAFETY: `offset` outlives the call and both descriptors are open.
    check(unsafe {
        libc::sendfile(
            socket.as_raw_fd(),
            file.as_raw_fd(),
            &raw mut offset,
            length,
        )
    })
}

/// Puts the socket in non-blocking mode, which [`send_file`] needs: it has no flag of its own.
///
/// # Errors
/// What `fcntl(2)` says.
pub fn set_nonblocking(socket: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: plain flag calls on an open descriptor.
    let flags = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFL) };
    if flags < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    let set = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) };
    check(set as isize).map(|_| ())
}

/// Asks the kernel to report the socket readable only once `bytes` have arrived (or it ends), so that a large frame
/// costs few wake-ups.
///
/// # Errors
/// What `setsockopt(2)` says.
pub fn set_receive_low_water(socket: &impl AsRawFd, bytes: usize) -> io::Result<()> {
    let value = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    // SAFETY: passes a pointer to a live c_int together with its size.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVLOWAT,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    check(set as isize).map(|_| ())
}

/// Lends the descriptor to `use_it` as a socket with the usual options.
pub fn with_socket<R>(socket: &impl AsRawFd, use_it: impl FnOnce(socket2::SockRef<'_>) -> R) -> R {
    // SAFETY: the borrow of `socket` keeps the descriptor open while `use_it` runs.
    let descriptor = unsafe { std::os::fd::BorrowedFd::borrow_raw(socket.as_raw_fd()) };
    use_it(socket2::SockRef::from(&descriptor))
}

/// Hands a bound and listening socket to the runtime of the core that calls.
pub fn into_runtime_listener(listener: std::net::TcpListener) -> glommio::net::TcpListener {
    use std::os::fd::{FromRawFd, IntoRawFd};
    // SAFETY: the descriptor is open, a listening TCP socket, and owned by nobody else after `into_raw_fd`.
    unsafe { glommio::net::TcpListener::from_raw_fd(listener.into_raw_fd()) }
}

/// Hands one side of a socket pair to the runtime of the core that calls.
pub fn into_runtime_stream(stream: std::os::unix::net::UnixStream) -> glommio::net::UnixStream {
    use std::os::fd::{FromRawFd, IntoRawFd};
    // SAFETY: the descriptor is open, a connected Unix stream, and owned by nobody else after `into_raw_fd`.
    unsafe { glommio::net::UnixStream::from_raw_fd(stream.into_raw_fd()) }
}

/// Waits until a byte can be read from `signals`: the handler of a stop signal has written it.
pub async fn stop_signal(signals: std::os::unix::net::UnixStream) {
    use futures_lite::AsyncReadExt;
    let mut stream = into_runtime_stream(signals);
    let mut byte = [0];
    // An error would mean that nobody can ever signal again: stopping is the safe answer.
    drop(stream.read(&mut byte).await);
}
