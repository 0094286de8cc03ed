//! What `tuning/` installs: the unit, the Debian package, the seccomp profile.
//!
//! Setup: the files of this repository and the system's own tools. Expectation: the unit shuts off what it says, the package holds and
//! wants what it says, and the profile allows what the broker needs and nothing else.

mod harness;

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::toolchain::has_programs;
use harness::{package_dir, scratch_dir};
use serde_json::Value;

/// Standard output of a command that must succeed.
fn output_of(command: &mut Command) -> String {
    let output = command.output().expect("the program runs");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}

/// Exposure in tenths, as systemd counts it: 0 is nothing, 100 everything.
const EXPOSURE_MAX: u32 = 13;

#[test]
fn the_unit_shuts_off_all_that_the_broker_does_not_need() {
    if !has_programs("the unit's exposure", &["systemd-analyze"]) {
        return;
    }
    let unit = package_dir().join("tuning/vltava.service");
    let out = output_of(
        Command::new("systemd-analyze")
            .args(["security", "--offline=yes", "--no-pager"])
            .arg(format!("--threshold={EXPOSURE_MAX}"))
            .arg(&unit),
    );
    assert!(out.contains("Overall exposure level"), "{out}");
}

#[test]
fn the_unit_allows_the_calls_that_the_broker_cannot_do_without() {
    if !has_programs("the unit's system calls", &["systemd-analyze"]) {
        return;
    }
    let unit = fs::read_to_string(package_dir().join("tuning/vltava.service")).expect("the unit");
    assert!(
        unit.contains("\nSystemCallFilter=@system-service cachestat\n"),
        "{unit}"
    );
    assert!(
        unit.contains("\nSystemCallFilter=~@privileged @keyring\n"),
        "{unit}"
    );
    let calls = |set: &str| {
        let out =
            output_of(Command::new("systemd-analyze").args(["--no-pager", "syscall-filter", set]));
        out.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    // The set names other sets; each call must be in one of them, and in none that is taken out.
    let service = calls("@system-service");
    let inner: Vec<_> = service
        .iter()
        .filter(|name| name.starts_with('@'))
        .flat_map(|set| calls(set))
        .collect();
    let taken_out = [calls("@privileged"), calls("@keyring")].concat();
    for call in [
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "sched_setaffinity",
        "sendfile",
    ] {
        let call = call.to_owned();
        assert!(
            service.contains(&call) || inner.contains(&call),
            "{call} is not allowed"
        );
        assert!(!taken_out.contains(&call), "{call} is taken out");
    }
}

#[test]
fn the_profile_for_containers_is_the_runtimes_own_and_io_uring() {
    if !has_programs("the seccomp profile", &["jq"]) {
        return;
    }
    let folder = tempfile::tempdir_in(scratch_dir()).expect("a scratch folder");
    let default = folder.path().join("default.json");
    let text = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}"#;
    fs::write(&default, text).expect("a scratch file");
    let out = output_of(
        Command::new("jq")
            .arg("-f")
            .arg(package_dir().join("tuning/seccomp.jq"))
            .arg(&default),
    );
    let profile: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
    let rules = profile["syscalls"].as_array().expect("a list");
    assert!(
        rules.iter().all(|rule| rule["action"] == "SCMP_ACT_ALLOW"),
        "{profile}"
    );
    let names: Vec<_> = rules
        .iter()
        .flat_map(|rule| rule["names"].as_array().expect("a list"))
        .map(|name| name.as_str().expect("a name"))
        .collect();
    assert_eq!(
        names,
        [
            "read",
            "io_uring_setup",
            "io_uring_enter",
            "io_uring_register",
            "cachestat"
        ]
    );
}

#[test]
fn the_debian_package_holds_the_service_and_wants_no_more_than_the_c_library() {
    let tools = ["dpkg-deb", "dpkg-shlibdeps", "strip", "gzip"];
    if !has_programs("the Debian package", &tools) {
        return;
    }
    let folder = tempfile::tempdir_in(scratch_dir()).expect("a scratch folder");
    output_of(
        Command::new(package_dir().join("tuning/debian/build"))
            .arg(env!("CARGO_BIN_EXE_vltava"))
            .arg(folder.path())
            .env("DPKG_DEB_COMPRESSOR_TYPE", "gzip"),
    );
    let package = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|end| end == "deb"))
        .expect("a package");
    let ask = |what: &str, field: &[&str]| {
        output_of(Command::new("dpkg-deb").arg(what).arg(&package).args(field))
    };
    let depends = ask("--field", &["Depends"]);
    let wanted: Vec<_> = depends
        .split(", ")
        .map(|one| one.split(' ').next().unwrap_or_default())
        .collect();
    assert_eq!(wanted, ["libc6", "libgcc-s1", "systemd"], "{depends}");
    let tree = folder.path().join("tree");
    output_of(
        Command::new("dpkg-deb")
            .arg("--raw-extract")
            .arg(&package)
            .arg(&tree),
    );
    let text = |path: &str| fs::read_to_string(tree.join(path)).expect(path);
    assert_eq!(text("DEBIAN/conffiles"), "/etc/vltava/server.properties\n");
    assert!(
        text("lib/systemd/system/vltava.service")
            .contains("\nExecStart=/usr/bin/vltava serve /etc/vltava/server.properties\n")
    );
    assert!(text("usr/lib/sysusers.d/vltava.conf").contains("vltava"));
    runs_with_its_own_settings(&tree);
}

fn runs_with_its_own_settings(tree: &Path) {
    let out = output_of(
        Command::new(tree.join("usr/bin/vltava"))
            .args(["config", "check"])
            .arg(tree.join("etc/vltava/server.properties")),
    );
    assert!(out.contains("A broker would start with this file"), "{out}");
}
