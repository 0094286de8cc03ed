use super::*;
use crate::client::scripted_broker::{Asked, Reaction, TOPIC, cluster_of, start};
use crate::types::{LeaderEpoch, Offset};
use crate::wire::messages::fetch::FetchableTopicResponse;
use crate::wire::messages::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use crate::wire::records::{BatchBuilder, Codec};

/// Every partition of the scripted log: batches of ten records, to this offset.
const END: i64 = 50;
const BATCH: i64 = 10;

/// The whole batch that holds `offset`, as a broker answers; nothing at the end.
fn batch_with(offset: i64) -> Records {
    if offset >= END {
        return Records::Bytes(Bytes::new());
    }
    let mut batch =
        BatchBuilder::new(Codec::None).placed(Offset(offset - offset % BATCH), LeaderEpoch(0));
    (0..BATCH).for_each(|_| batch.append(1, None, None, &[]));
    Records::Bytes(batch.build())
}

fn fetch_answer(
    asked: &Asked,
    request: &FetchRequest,
    error: impl Fn(i32, i64) -> ErrorCode,
) -> Reaction {
    let partition = |p: &FetchPartition| {
        let error_code = error(p.partition, p.fetch_offset);
        let records = if error_code.is_none() {
            batch_with(p.fetch_offset)
        } else {
            Records::Null
        };
        PartitionData {
            partition_index: p.partition,
            error_code,
            high_watermark: END,
            records,
            ..Default::default()
        }
    };
    let topic = FetchableTopicResponse {
        topic: TOPIC.into(),
        partitions: request.topics[0].partitions.iter().map(partition).collect(),
        ..Default::default()
    };
    asked.answer(&FetchResponse {
        responses: vec![topic],
        ..Default::default()
    })
}

fn consumer(address: String, positions: &[(i32, i64)]) -> Consumer {
    let mut cluster = cluster_of(address);
    let topic = cluster.topic(TOPIC, false).unwrap();
    Consumer::new(
        cluster,
        &topic,
        positions.iter().copied().collect(),
        ConsumerOptions::default(),
    )
}

/// Polls until both partitions are at their end; what came, by partition: from where, to where.
fn read_to_end(consumer: &mut Consumer) -> BTreeMap<i32, Vec<(i64, i64)>> {
    let mut read: BTreeMap<i32, Vec<(i64, i64)>> = BTreeMap::new();
    while read.len() < 2
        || !read
            .values()
            .all(|ranges| ranges.last().is_some_and(|range| range.1 == END))
    {
        for fetched in consumer.poll().unwrap() {
            read.entry(fetched.partition)
                .or_default()
                .push((fetched.position, fetched.next_position));
        }
    }
    read
}

#[test]
fn a_failure_of_one_partition_loses_and_repeats_nothing_of_the_other() {
    let mut fetches = 0;
    let address = start(move |asked| {
        let Some(request) = asked.decode::<FetchRequest>() else {
            return asked.ordinary_answer();
        };
        fetches += 1;
        match fetches {
            3 => Reaction::Close,
            n => fetch_answer(asked, &request, |partition, _| match (n, partition) {
                (2, 1) => ErrorCode::NOT_LEADER_OR_FOLLOWER,
                _ => ErrorCode::NONE,
            }),
        }
    });
    let read = read_to_end(&mut consumer(address, &[(0, 5), (1, 20)]));
    assert_eq!(read[&0], [(5, 10), (10, 20), (20, 30), (30, 40), (40, 50)]);
    assert_eq!(read[&1], [(20, 30), (30, 40), (40, 50)]);
}

#[test]
fn a_position_outside_of_the_log_is_told_with_the_log_s_ends() {
    let address = start(|asked| {
        if let Some(request) = asked.decode::<ListOffsetsRequest>() {
            let offset = if request.topics[0].partitions[0].timestamp == -1 {
                END
            } else {
                7
            };
            let partition = ListOffsetsPartitionResponse {
                partition_index: 1,
                offset,
                ..Default::default()
            };
            let topic = ListOffsetsTopicResponse {
                name: TOPIC.into(),
                partitions: vec![partition],
            };
            return asked.answer(&ListOffsetsResponse {
                topics: vec![topic],
                ..Default::default()
            });
        }
        let Some(request) = asked.decode::<FetchRequest>() else {
            return asked.ordinary_answer();
        };
        fetch_answer(asked, &request, |_, offset| match offset < 7 {
            true => ErrorCode::OFFSET_OUT_OF_RANGE,
            false => ErrorCode::NONE,
        })
    });
    let error = consumer(address, &[(1, 3)]).poll().unwrap_err();
    assert_eq!(
        error.to_string(),
        "offset 3 of t-1 is out of range: the log has 7 up to 50"
    );
}

#[test]
fn a_dropped_partition_is_not_asked_for_again() {
    let address = start(|asked| {
        let Some(request) = asked.decode::<FetchRequest>() else {
            return asked.ordinary_answer();
        };
        fetch_answer(asked, &request, |_, _| ErrorCode::NONE)
    });
    let mut consumer = consumer(address, &[(0, 0), (1, 0)]);
    assert_eq!(consumer.poll().unwrap().len(), 2);
    consumer.drop_partition(1);
    for _ in 0..3 {
        assert!(
            consumer
                .poll()
                .unwrap()
                .iter()
                .all(|fetched| fetched.partition == 0)
        );
    }
}
