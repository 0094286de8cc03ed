//! What a rule has to say about one thing of the host.

/// How much it matters, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// The broker does not start, or data is in danger.
    Must,
    /// Worth changing.
    Change,
    /// Worth a thought: it has a price, or cannot be changed on a host in use.
    Consider,
    /// As it should be.
    Fine,
    /// It could not be looked at.
    Unseen,
}

impl Verdict {
    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Must => "MUST",
            Verdict::Change => "CHANGE",
            Verdict::Consider => "consider",
            Verdict::Fine => "ok",
            Verdict::Unseen => "not seen",
        }
    }

    /// Whether something is to be done.
    pub fn is_due(self) -> bool {
        self <= Verdict::Change
    }
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub topic: &'static str,
    /// How much it matters.
    pub verdict: Verdict,
    /// What is so, or why it cannot be seen.
    pub is: String,
    /// What should be; empty where all is well.
    pub advice: Option<Advice>,
}

/// What to change, why, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What should be so.
    pub should: String,
    /// Why.
    pub why: &'static str,
    /// What it buys.
    pub buys: &'static str,
    /// Where that is known from.
    pub source: &'static str,
    /// How it is done.
    pub remedy: Remedy,
}

/// How something is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Kernel settings, in a file that `sysctl --system` reads at every start.
    Sysctl(Vec<Setting>),
    /// Settings of the service, in a drop-in file of systemd.
    DropIn(Vec<Setting>),
    /// By hand.
    ByHand {
        /// What to do: commands, or a sentence.
        set: Vec<String>,
        /// How to take it back.
        undo: Vec<String>,
    },
}

/// One setting of a file that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub key: String,
    /// What it is to be.
    pub value: String,
    /// The command that puts back what was, once the file is gone.
    pub undo: String,
}

impl Setting {
    /// A kernel setting, and what puts back `was`: usually of the same name.
    pub fn sysctl(key: &str, value: impl ToString, was: (&str, impl ToString)) -> Setting {
        Setting {
            key: key.to_owned(),
            value: value.to_string(),
            undo: format!("sysctl -w '{}={}'", was.0, was.1.to_string()),
        }
    }

    /// A setting of the service.
    pub fn of_service(key: &str, value: impl ToString) -> Setting {
        Setting {
            key: key.to_owned(),
            value: value.to_string(),
            undo: "systemctl daemon-reload && systemctl restart vltava".to_owned(),
        }
    }
}

impl Finding {
    /// All is well.
    pub fn fine(topic: &'static str, is: impl Into<String>) -> Finding {
        Finding {
            topic,
            verdict: Verdict::Fine,
            is: is.into(),
            advice: None,
        }
    }

    /// It cannot be seen, for the reason given.
    pub fn unseen(topic: &'static str, why_not: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Unseen,
            ..Finding::fine(topic, why_not)
        }
    }

    /// Something is to be done.
    pub fn advise(
        topic: &'static str,
        verdict: Verdict,
        is: impl Into<String>,
        advice: Advice,
    ) -> Finding {
        Finding {
            verdict,
            advice: Some(advice),
            ..Finding::fine(topic, is)
        }
    }
}
