//! Groups without sockets and without sleep.
