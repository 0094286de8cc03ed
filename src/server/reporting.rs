//! A core's answers to questions from outside of it: a byte in, a report out, and never a wait for whoever asked.

use super::core::CoreParts;
use crate::io::into_runtime_stream;
use crate::metrics::CoreReport;
use futures_lite::AsyncReadExt;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::mpsc::Sender;

/// Where a core is asked, and where it answers.
pub struct Inquiry {
    /// Each byte is a question.
    pub questions: UnixStream,
    /// Takes any number of reports without a wait.
    pub reports: Sender<(usize, CoreReport)>,
}

/// Answers until nobody can ask any more.
pub async fn report_for_ever(parts: Rc<CoreParts>, inquiry: Inquiry) {
    let mut questions = into_runtime_stream(inquiry.questions);
    let mut question = [0];
    while let Ok(1) = questions.read(&mut question).await {
        let mut report = parts.shard.report().await;
        report.question = question[0];
        report.frame_bytes = parts.net.budget.used() as u64;
        if inquiry.reports.send((parts.shard.me().0, report)).is_err() {
            return;
        }
    }
}
