//! `vltava stat`: what a broker's cores do, again and again, like `top`.

mod table;

use super::CliError;
use crate::client::http::{self, HttpError};
use crate::metrics::Stats;
use clap::Args;
use crossterm::event::{self, Event, KeyCode, KeyModifiers};
use crossterm::terminal::{self, ClearType};
use crossterm::{cursor, queue};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};
use table::Shown;

/// A broker that does not answer for this long is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Options of `vltava stat`.
#[derive(Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct StatArgs {
    /// The broker's admin endpoint: what `vltava serve --admin` was given
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "VLTAVA_ADMIN",
        default_value = "127.0.0.1:9644"
    )]
    pub admin: String,

    /// Only this core's times [default: of all cores together]
    #[arg(long, value_name = "N")]
    pub core: Option<usize>,

    /// Seconds from one look to the next
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: u64,

    /// Look once, at everything since the broker started, and end
    #[arg(long)]
    pub once: bool,

    /// Print what the broker says as JSON, a line a look
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  vltava serve --admin 127.0.0.1:9644 &
  vltava stat
      a row a core and the times of every stage, each second anew; keys: c the next core, q ends
  vltava stat --once
      the same once, over all the time since the start
  vltava stat --interval 10 | tee load.txt
      where there is no terminal, one table after the other
  vltava stat --once --json | jq '.cores[].times'

What the columns mean:
  CPU         of the core's thread, as the kernel counts it; 100 % is a core that never sleeps
  in          bytes of record batches appended; sendfile, read, cold: bytes of record data sent, by path
  mesh        messages taken from other cores; batches a write: how many producers shared one write
  sleeps      times the core had nothing to do
The times are of what came since the last look: half, 90 of 100 ... took no longer. `write` and `fdatasync` are the
disk's, `produce_commit` is what a producer waits for after its batch is staged, `mesh_hop` is one way between cores.";

/// Runs until a key, the end of the broker, or the end of our reader.
///
/// # Errors
/// The broker cannot be asked, or the output not be written.
pub fn run(args: &StatArgs, out: &mut impl Write) -> Result<(), CliError> {
    let live = !args.json && !args.once && io::stdout().is_terminal() && io::stdin().is_terminal();
    if live {
        let _screen = Screen::enter(out)?;
        return watch(args, out);
    }
    let mut before = None;
    loop {
        let (text, stats) = look(args)?;
        if args.json {
            writeln!(out, "{text}")?;
        } else if args.once || before.is_some() {
            let shown = Shown::new(&stats, before.as_ref(), args.core);
            writeln!(out, "{}", shown.text())?;
        }
        out.flush()?;
        if args.once {
            return Ok(());
        }
        before = Some(stats);
        std::thread::sleep(Duration::from_secs(args.interval));
    }
}

fn look(args: &StatArgs) -> Result<(String, Stats), CliError> {
    let text = http::get(&args.admin, "/stats.json", PATIENCE)
        .map_err(|error: HttpError| CliError::Failed(error.to_string()))?;
    let stats: Stats = serde_json::from_str(&text).map_err(|error| {
        CliError::Failed(format!(
            "{} answers what this version does not understand: {error}",
            args.admin
        ))
    })?;
    match args.core {
        Some(core) if core >= stats.cores.len() => Err(CliError::Usage(format!(
            "--core {core}: the broker has cores 0 to {}",
            stats.cores.len().saturating_sub(1)
        ))),
        _ => Ok((text, stats)),
    }
}

/// The live display.
fn watch(args: &StatArgs, out: &mut impl Write) -> Result<(), CliError> {
    let mut args = args.clone();
    let (_, mut before) = look(&args)?;
    let mut now = before.clone();
    loop {
        let shown = Shown::new(&now, Some(&before), args.core);
        draw(&shown.text(), out)?;
        let next = Instant::now() + Duration::from_secs(args.interval);
        match key_until(next)? {
            Some(Key::Quit) => return Ok(()),
            Some(Key::NextCore) => {
                args.core = match args.core {
                    None => Some(0),
                    Some(core) if core + 1 < now.cores.len() => Some(core + 1),
                    Some(_) => None,
                };
            }
            None => (before, now) = (now, look(&args)?.1),
        }
    }
}

/// As much of the text as fits the terminal.
fn draw(text: &str, out: &mut impl Write) -> io::Result<()> {
    let (width, height) = terminal::size()?;
    queue!(out, cursor::MoveTo(0, 0))?;
    let rows = text.lines().take(usize::from(height).saturating_sub(1));
    for line in rows {
        let fits: String = line.chars().take(usize::from(width)).collect();
        write!(out, "{fits}")?;
        queue!(out, terminal::Clear(ClearType::UntilNewLine))?;
        write!(out, "\r\n")?;
    }
    queue!(out, terminal::Clear(ClearType::FromCursorDown))?;
    out.flush()
}

enum Key {
    Quit,
    NextCore,
}

/// The next key that means something, if one comes in time.
fn key_until(end: Instant) -> io::Result<Option<Key>> {
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if !event::poll(left)? {
            return Ok(None);
        }
        let Event::Key(key) = event::read()? else {
            continue;
        };
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return Ok(Some(Key::Quit));
            }
            KeyCode::Char('q') | KeyCode::Esc => return Ok(Some(Key::Quit)),
            KeyCode::Char('c') => return Ok(Some(Key::NextCore)),
            _ => {}
        }
    }
}

/// The terminal as `top` has it; as it was on drop.
struct Screen;

impl Screen {
    fn enter(out: &mut impl Write) -> io::Result<Screen> {
        terminal::enable_raw_mode()?;
        let screen = Screen;
        queue!(out, terminal::EnterAlternateScreen, cursor::Hide)?;
        out.flush()?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Past the caller's buffer, which is empty between two looks.
        let mut out = io::stderr();
        let _ = queue!(out, terminal::LeaveAlternateScreen, cursor::Show);
        let _ = out.flush();
        let _ = terminal::disable_raw_mode();
    }
}
