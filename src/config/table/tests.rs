//! The table holds together: names, defaults, texts, and what older names point at.

use super::*;
use crate::config::property::Status;

#[test]
fn every_name_stands_once() {
    let rows = THEMES.iter().map(|theme| theme.len()).sum::<usize>();
    assert_eq!(BY_NAME.len(), rows);
}

#[test]
fn defaults_are_legal() {
    for property in broker_properties() {
        property.default_value();
    }
}

#[test]
fn every_row_says_what_it_does_in_whole_sentences() {
    for property in broker_properties() {
        assert!(
            property.doc.ends_with('.') && property.doc.len() > 15,
            "{}",
            property.name
        );
        if let Status::Guarded(why) = property.status {
            assert!(!why.is_empty() && !why.ends_with('.'), "{}", property.name);
        }
    }
}

#[test]
fn older_names_point_at_names_in_force() {
    for property in broker_properties() {
        if let Status::Mapped(target) = property.status {
            let target = broker_property(target)
                .unwrap_or_else(|| panic!("{} points nowhere", property.name));
            assert!(
                !matches!(target.status, Status::Mapped(_)),
                "{}",
                property.name
            );
        }
    }
}

#[test]
fn a_slip_of_the_finger_finds_the_name_that_was_meant() {
    assert_eq!(nearest_name("num.partition"), Some("num.partitions"));
    assert_eq!(nearest_name("log.segment.byte"), Some("log.segment.bytes"));
    assert_eq!(nearest_name("mesage.max.bytes"), Some("message.max.bytes"));
    assert_eq!(nearest_name("listener"), Some("listeners"));
    assert_eq!(nearest_name("colour"), None);
}
