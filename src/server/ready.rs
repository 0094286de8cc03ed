//! Telling the world: the one line on standard output, and systemd.

use super::bind::Bound;
use super::life::Boot;
use sd_notify::NotifyState;
use std::io::Write;

/// The broker accepts connections: addresses, cores, partitions found, milliseconds since start.
pub fn announce(boot: &Boot, partitions: usize) {
    let addresses: Vec<_> = boot.bound.iter().map(address).collect();
    let line = format!(
        "vltava {} is ready on {}: {} cores, {partitions} partitions found, {} ms",
        env!("CARGO_PKG_VERSION"),
        addresses.join(", "),
        boot.cores,
        boot.began.elapsed().as_millis()
    );
    // Nobody may be reading; the broker runs all the same.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
    tell_systemd(&[NotifyState::Ready, NotifyState::Status(&line)]);
}

/// `NAME://host:port`, and the ports of the cores if they have their own.
fn address(bound: &Bound) -> String {
    let own = format!(
        "{}://{}",
        bound.shared.endpoint.name, bound.shared.claim.address
    );
    let ports: Vec<u16> = bound
        .cores
        .iter()
        .map(|core| core.claim.address.port())
        .collect();
    let (Some(first), Some(last)) = (ports.first(), ports.last()) else {
        return own;
    };
    if ports.len() > 2 && ports.windows(2).all(|pair| pair[0] + 1 == pair[1]) {
        return format!("{own} (cores {first}-{last})");
    }
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    format!("{own} (cores {})", ports.join(" "))
}

/// The broker is on its way down.
pub fn stopping() {
    tell_systemd(&[NotifyState::Stopping]);
}

/// Does nothing when the broker is not a systemd service.
fn tell_systemd(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("systemd cannot be told of the broker's state: {error}");
    }
}
