//! The broker is given to see: each core its place to count, and whoever asks over HTTP a view of all.

use super::reporting::Inquiry;
use crate::admin::{Admin, AdminError, Questions, View};
use crate::metrics::{CoreMetrics, Phase};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// What there is to see, before the cores start.
pub struct Observed {
    /// What is served and where, if anything is.
    pub admin: Option<(Arc<View>, SocketAddr)>,
    /// Each core's place to count, and where it is asked.
    pub seats: Vec<(&'static CoreMetrics, Option<Inquiry>)>,
}

/// Makes the places of the cores on these CPUs. With an address they can be asked, and what they say is served there from now on:
/// whoever waits for the broker to get ready hears that it is not yet.
///
/// # Errors
/// The address cannot be used, or the system gives no sockets or threads.
pub fn observe(
    address: Option<&str>,
    cpus: &[usize],
    began: Instant,
) -> Result<Observed, AdminError> {
    // The cores live as long as the process does.
    let metrics = || -> &'static CoreMetrics { Box::leak(Box::default()) };
    let Some(address) = address else {
        let seats = cpus.iter().map(|_| (metrics(), None)).collect();
        return Ok(Observed { admin: None, seats });
    };
    let admin = Admin::bind(address)?;
    let (sender, reports) = mpsc::channel();
    let (mut seats, mut askers, mut cores) = (Vec::new(), Vec::new(), Vec::new());
    for &cpu in cpus {
        let (asker, questions) = UnixStream::pair().map_err(AdminError::Questions)?;
        let (metrics, reports) = (metrics(), sender.clone());
        let inquiry = Inquiry { questions, reports };
        askers.push(asker);
        cores.push((cpu, metrics));
        seats.push((metrics, Some(inquiry)));
    }
    let questions = Questions::new(askers, reports).map_err(AdminError::Questions)?;
    let view = Arc::new(View::new(cores, questions, began));
    debug_assert_eq!(view.phase(), Phase::Starting);
    let address = admin.address;
    admin.serve(Arc::clone(&view))?;
    let admin = Some((view, address));
    Ok(Observed { admin, seats })
}
