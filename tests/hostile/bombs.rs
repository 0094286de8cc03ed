//! Small batches that inflate to more than anybody wants to look at.
//!
//! Setup: a batch of some kilobytes with one record of 600 MiB of zeros; many such at once, each in a window as large as the
//! format allows. Expectation: each is refused, the broker's memory does not follow them, bystanders are served meanwhile.

use std::io::Write;
use std::thread;

use bytes::Bytes;
use vltava::wire::ErrorCode;
use vltava::wire::records::{BatchBuilder, Codec};

use crate::harness::batches::{ATTRIBUTES_AT, LENGTH_AT, batch_with, with, with_bad_crc};
use crate::harness::broker::Broker;
use crate::harness::bystanders::Bystanders;
use crate::harness::serve::resident_bytes;
use crate::harness::wire_client::WireClient;

const INFLATED_BYTES: usize = 600 << 20;
/// Of a zstd window; the largest that every decoder takes.
const WINDOW_LOG: u32 = 27;
const BOMBS_AT_ONCE: usize = 30;

/// A batch with one record of zeros, compressed by `codec` from what `compress` is fed.
fn bomb(codec: Codec, compress: impl FnOnce(&mut dyn FnMut(&mut dyn Write)) -> Vec<u8>) -> Bytes {
    let mut feed = |out: &mut dyn Write| {
        let zeros = vec![0; 1 << 20];
        let body = INFLATED_BYTES + 16;
        out.write_all(&varint(body as i64)).expect("in memory");
        // Attributes, timestamp delta, offset delta, null key, and then the value.
        out.write_all(&[0, 0, 0, 1]).expect("in memory");
        out.write_all(&varint(INFLATED_BYTES as i64))
            .expect("in memory");
        for _ in 0..INFLATED_BYTES / zeros.len() {
            out.write_all(&zeros).expect("in memory");
        }
    };
    let records = compress(&mut feed);
    let header = batch_with(BatchBuilder::new(Codec::None), &[""]).slice(..61);
    let whole = Bytes::from([&header[..], &records].concat());
    let length = i32::try_from(whole.len() - 12).expect("a small batch");
    let whole = with_bad_crc(&whole, LENGTH_AT, &length.to_be_bytes());
    with(&whole, ATTRIBUTES_AT, &i16::from(codec.id()).to_be_bytes())
}

/// Zig-zag, as records have it.
fn varint(value: i64) -> Vec<u8> {
    let mut left = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = Vec::new();
    while left >= 0x80 {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
    bytes
}

fn zstd_bomb() -> Bytes {
    bomb(Codec::Zstd, |feed| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        encoder.window_log(WINDOW_LOG).expect("a legal window");
        feed(&mut encoder);
        encoder.finish().expect("in memory")
    })
}

fn gzip_bomb() -> Bytes {
    bomb(Codec::Gzip, |feed| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        feed(&mut encoder);
        encoder.finish().expect("in memory")
    })
}

#[test]
fn a_compression_bomb_is_refused_and_nobody_waits_for_it() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    let mut client = WireClient::connect(broker.port());
    client.create_topic("bombed", 1);
    let before = resident_bytes(broker.pid());
    for bomb in [zstd_bomb(), gzip_bomb()] {
        assert!(bomb.len() < 1 << 20, "{} bytes are no bomb", bomb.len());
        let answer = client.produce("bombed", 0, &bomb);
        assert_eq!(answer.error_code, ErrorCode::INVALID_RECORD, "{answer:?}");
    }
    let grown = resident_bytes(broker.pid()).saturating_sub(before);
    assert!(grown < 200 << 20, "{grown} bytes more");
    bystanders.finish();
    assert_eq!(client.read_all("bombed", 0), []);
}

#[test]
fn many_bombs_at_once_take_no_more_memory_than_a_few() {
    let broker = Broker::start(&[]);
    let bystanders = Bystanders::start(broker.port());
    WireClient::connect(broker.port()).create_topic("bombed", 1);
    let before = resident_bytes(broker.pid());
    let bomb = zstd_bomb();
    let throwing: Vec<_> = (0..BOMBS_AT_ONCE)
        .map(|_| {
            let (bomb, port) = (bomb.clone(), broker.port());
            thread::spawn(move || {
                let mut client = WireClient::connect(port);
                let deadline = std::time::Duration::from_secs(120);
                client
                    .stream()
                    .set_read_timeout(Some(deadline))
                    .expect("a deadline");
                client.produce("bombed", 0, &bomb).error_code
            })
        })
        .collect();
    let mut most = 0;
    while !throwing.iter().all(|thread| thread.is_finished()) {
        most = most.max(resident_bytes(broker.pid()).saturating_sub(before));
        thread::sleep(std::time::Duration::from_millis(5));
    }
    for thrown in throwing {
        assert_eq!(thrown.join().expect("an answer"), ErrorCode::INVALID_RECORD);
    }
    assert!(most < 1200 << 20, "{} MiB more", most >> 20);
    bystanders.finish();
}
