use super::*;

#[test]
fn rows_stand_in_ascending_order_of_their_keys() {
    assert!(TABLE.windows(2).all(|pair| pair[0].key < pair[1].key));
}

#[test]
fn what_is_served_is_advertised_up_to_the_same_version() {
    for row in TABLE {
        assert!(row.advertised.contains(row.served.start()), "{}", row.key);
        assert_eq!(row.advertised.end(), row.served.end(), "{}", row.key);
    }
}

#[test]
fn a_key_and_its_number_name_each_other() {
    for number in i16::MIN..=i16::MAX {
        if let Some(key) = ApiKey::from_number(number) {
            assert_eq!(key as i16, number);
        }
    }
    assert_eq!(
        ApiKey::from_number(92),
        Some(ApiKey::DeleteShareGroupOffsets)
    );
    assert_eq!(ApiKey::from_number(93), None);
    assert_eq!(ApiKey::from_number(-1), None);
    assert_eq!(
        ApiKey::DescribeTopicPartitions.name(),
        "DescribeTopicPartitions"
    );
}

#[test]
fn lookup_tells_unserved_versions_from_unknown_keys() {
    assert!(matches!(lookup(3, 13), Lookup::Served(row) if row.key == ApiKey::Metadata));
    assert!(
        matches!(lookup(3, 14), Lookup::UnsupportedVersion(row) if row.key == ApiKey::Metadata)
    );
    assert!(matches!(lookup(3, -1), Lookup::UnsupportedVersion(_)));
    assert!(matches!(lookup(4, 0), Lookup::UnknownKey));
    assert!(matches!(lookup(i16::MAX, 0), Lookup::UnknownKey));
}
