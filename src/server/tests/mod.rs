//! Tests of the broker's life on its data directory, without sockets.

mod node;
mod power_loss;
