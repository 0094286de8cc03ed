//! The bytes inside JoinGroup and SyncGroup that consumers write for each other: Kafka's `ConsumerProtocol`, version 0.
//!
//! ```text
//! subscription:  version:i16  topics:[string]                      user data:bytes  (later versions append more)
//! assignment:    version:i16  [topic:string  partitions:[i32]]     user data:bytes
//! ```
//!
//! They come from other members, so each count is checked against what is there.

use std::collections::BTreeMap;

/// Partitions by topic.
pub type TopicPartitions = BTreeMap<String, Vec<i32>>;

/// Writes a subscription.
pub fn subscription(topics: &[String]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    count(&mut bytes, topics.len());
    for topic in topics {
        string(&mut bytes, topic);
    }
    bytes.extend((-1i32).to_be_bytes());
    bytes
}

/// Writes an assignment.
pub fn assignment(share: &TopicPartitions) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    count(&mut bytes, share.len());
    for (topic, partitions) in share {
        string(&mut bytes, topic);
        count(&mut bytes, partitions.len());
        for partition in partitions {
            bytes.extend(partition.to_be_bytes());
        }
    }
    bytes.extend((-1i32).to_be_bytes());
    bytes
}

/// The topics of a subscription of any version; `None` if it is cut off.
pub fn read_subscription(bytes: &[u8]) -> Option<Vec<String>> {
    let mut rest = bytes.get(2..)?;
    let topics = take_count(&mut rest)?;
    (0..topics).map(|_| take_string(&mut rest)).collect()
}

/// An assignment of any version; `None` if it is cut off. No bytes are no assignment.
pub fn read_assignment(bytes: &[u8]) -> Option<TopicPartitions> {
    if bytes.is_empty() {
        return Some(TopicPartitions::new());
    }
    let mut rest = bytes.get(2..)?;
    let topics = take_count(&mut rest)?;
    let mut share = TopicPartitions::new();
    for _ in 0..topics {
        let topic = take_string(&mut rest)?;
        let partitions = take_count(&mut rest)?;
        let partitions: Option<Vec<i32>> = (0..partitions).map(|_| take_i32(&mut rest)).collect();
        share.entry(topic).or_default().extend(partitions?);
    }
    Some(share)
}

fn count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend(i32::try_from(count).unwrap_or(i32::MAX).to_be_bytes());
}

fn string(bytes: &mut Vec<u8>, text: &str) {
    // The name of a topic has 249 bytes at most.
    bytes.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(text.as_bytes());
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

fn take_i32(rest: &mut &[u8]) -> Option<i32> {
    take(rest, 4)?.try_into().ok().map(i32::from_be_bytes)
}

/// A count of things of two bytes or more: more than the rest can hold is a lie.
fn take_count(rest: &mut &[u8]) -> Option<usize> {
    let count = usize::try_from(take_i32(rest)?).ok()?;
    (count <= rest.len() / 2).then_some(count)
}

fn take_string(rest: &mut &[u8]) -> Option<String> {
    let length = take(rest, 2)?.try_into().ok().map(i16::from_be_bytes)?;
    let text = take(rest, usize::try_from(length).ok()?)?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_nothing_of_it_when_it_is_cut_off() {
        let topics = ["a".to_owned(), "bb".to_owned()];
        let written = subscription(&topics);
        assert_eq!(read_subscription(&written).unwrap(), topics);
        let share = TopicPartitions::from([("a".to_owned(), vec![0, 7]), ("b".to_owned(), vec![])]);
        let bytes = assignment(&share);
        assert_eq!(read_assignment(&bytes).unwrap(), share);
        // The last four bytes are the user data, which is not read.
        for end in 1..bytes.len() - 4 {
            assert_eq!(read_assignment(&bytes[..end]), None, "{end}");
        }
        assert_eq!(read_assignment(&[]), Some(TopicPartitions::new()));
    }

    #[test]
    fn a_subscription_of_a_java_consumer_is_read() {
        // Version 3: topic "cp1", no user data, no owned partitions, generation -1, no rack.
        let bytes = [
            0, 3, 0, 0, 0, 1, 0, 3, b'c', b'p', b'1', 255, 255, 255, 255, 0, 0, 0, 0, 255, 255,
            255, 255, 255, 255,
        ];
        assert_eq!(read_subscription(&bytes).unwrap(), ["cp1"]);
    }

    #[test]
    fn a_count_that_the_bytes_cannot_hold_takes_no_memory() {
        assert_eq!(read_subscription(&[0, 0, 127, 255, 255, 255, 0, 0]), None);
        assert_eq!(read_assignment(&[0, 0, 255, 255, 255, 255]), None);
    }
}
