use super::*;

/// Bytes that compress, but not to nothing.
fn text(length: usize) -> Vec<u8> {
    (0..length as u32)
        .map(|i| b"record batches keep their order"[(i / 3 % 31) as usize] ^ (i >> 9) as u8)
        .collect()
}

fn inflate(codec: Codec, compressed: &[u8], max: u64) -> Result<Vec<u8>, BatchError> {
    let compressed = Bytes::copy_from_slice(compressed);
    inflate_all(MAGIC_V2, codec, compressed, max, &mut Scratch::default())
}

fn problem(codec: Codec, compressed: &[u8]) -> InflateError {
    match inflate(codec, compressed, u64::MAX) {
        Err(BatchError::Invalid {
            reason: Invalid::Decompress { problem, .. },
        }) => problem,
        other => panic!("{codec:?}: {other:?}"),
    }
}

#[test]
fn every_codec_gives_back_what_was_compressed() {
    let mut scratch = Scratch::default();
    for length in [1, 100, 32 * 1024, 64 * 1024 + 1, 3_000_000] {
        for codec in Codec::ALL {
            let compressed = Bytes::from(codec.compress_behind(0, &text(length)));
            let whole = inflate_all(MAGIC_V2, codec, compressed, u64::MAX, &mut scratch);
            assert!(whole.unwrap() == text(length), "{codec:?} {length}");
        }
    }
}

#[test]
fn a_stream_cut_anywhere_never_passes_for_whole() {
    for codec in [Codec::Gzip, Codec::Lz4, Codec::Zstd] {
        let compressed = codec.compress_behind(0, &text(3_000));
        for cut in 0..compressed.len() {
            problem(codec, &compressed[..cut]);
        }
    }
    // Snappy has no end mark: a cut between blocks only shows in missing records.
    let compressed = Codec::Snappy.compress_behind(0, &text(3_000));
    for cut in 17..compressed.len() {
        problem(Codec::Snappy, &compressed[..cut]);
    }
}

#[test]
fn every_flipped_bit_gives_other_bytes_an_error_or_the_same_but_no_panic() {
    for codec in Codec::ALL {
        let compressed = codec.compress_behind(0, &text(500));
        for bit in 0..compressed.len() * 8 {
            let mut flipped = compressed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(whole) = inflate(codec, &flipped, 1 << 20) {
                assert!(whole.len() <= 1 << 20);
            }
        }
    }
}

#[test]
fn a_bomb_is_given_up_at_the_limit() {
    let zeroes = vec![0; 40_000_000];
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let bomb = codec.compress_behind(0, &zeroes);
        assert_eq!(
            inflate(codec, &bomb, 10_000_000),
            Err(Invalid::Inflates { max: 10_000_000 }.into()),
            "{codec:?}"
        );
    }
}

#[test]
fn a_bomb_takes_no_more_than_a_piece_at_a_time() {
    let zeroes = vec![0; 40_000_000];
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let bomb = Bytes::from(codec.compress_behind(0, &zeroes));
        let mut scratch = Scratch::default();
        let mut inflater = Inflater::open(codec, bomb, u64::MAX, &mut scratch);
        while let Some(piece) = inflater.next_piece().unwrap() {
            assert!(piece.len() <= 64 * 1024, "{codec:?} {}", piece.len());
        }
        assert_eq!(inflater.inflated(), 40_000_000);
    }
}

#[test]
fn a_bare_snappy_block_is_read_as_librdkafka_writes_it() {
    let bare = snap::raw::Encoder::new()
        .compress_vec(&text(100_000))
        .unwrap();
    assert!(inflate(Codec::Snappy, &bare, 100_000).unwrap() == text(100_000));
}

#[test]
fn a_snappy_block_that_announces_what_it_cannot_hold_takes_no_memory() {
    let mut liar = vec![0xff, 0xff, 0xff, 0xff, 0x0f];
    liar.extend_from_slice(&[0; 100]);
    assert_eq!(
        problem(Codec::Snappy, &liar),
        InflateError::Damaged("damaged snappy block")
    );
}

#[test]
fn joined_streams_are_read_to_the_end() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Zstd] {
        let mut joined = codec.compress_behind(0, b"first, ");
        joined.extend_from_slice(&codec.compress_behind(0, b"second"));
        assert_eq!(
            inflate(codec, &joined, 100).unwrap(),
            b"first, second",
            "{codec:?}"
        );
    }
}

#[test]
fn rubbish_behind_a_gzip_member_is_ignored_as_java_does() {
    let mut compressed = Codec::Gzip.compress_behind(0, b"records");
    compressed.extend_from_slice(b"\x1f\x8brubbish");
    assert_eq!(inflate(Codec::Gzip, &compressed, 100).unwrap(), b"records");
}

#[test]
fn a_gzip_header_with_every_optional_field_is_read() {
    use std::io::Write;
    let mut encoder = flate2::GzBuilder::new()
        .filename("name")
        .comment("comment")
        .extra(vec![1, 2, 3])
        .write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"records").unwrap();
    let compressed = encoder.finish().unwrap();
    assert_eq!(inflate(Codec::Gzip, &compressed, 100).unwrap(), b"records");
}

/// A frame of the `lz4_flex` crate with what Kafka's readers can meet.
fn lz4_frame(info: lz4_flex::frame::FrameInfo, content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn lz4_frames_of_every_block_size_and_checksum_are_read() {
    use lz4_flex::frame::{BlockSize, FrameInfo};
    for size in [
        BlockSize::Max64KB,
        BlockSize::Max256KB,
        BlockSize::Max1MB,
        BlockSize::Max4MB,
    ] {
        let frame = FrameInfo::new()
            .block_size(size)
            .block_checksums(true)
            .content_checksum(true)
            .content_size(Some(200_000));
        let frame = lz4_frame(frame, &text(200_000));
        assert!(inflate(Codec::Lz4, &frame, 200_000).unwrap() == text(200_000));
    }
}

#[test]
fn lz4_blocks_that_depend_on_one_another_are_refused_as_kafka_does() {
    use lz4_flex::frame::{BlockMode, FrameInfo};
    let frame = lz4_frame(FrameInfo::new().block_mode(BlockMode::Linked), b"records");
    assert_eq!(
        problem(Codec::Lz4, &frame),
        InflateError::Damaged("lz4 blocks depend on one another")
    );
}

#[test]
fn a_wrong_lz4_header_checksum_passes_in_format_0_only() {
    let mut frame = Codec::Lz4.compress_behind(0, b"records");
    frame[6] ^= 1;
    problem(Codec::Lz4, &frame);
    let old = inflate_all(
        0,
        Codec::Lz4,
        Bytes::from(frame),
        100,
        &mut Scratch::default(),
    );
    assert_eq!(old.unwrap(), b"records");
}

#[test]
fn a_small_lz4_block_in_a_frame_of_large_ones_takes_little_memory() {
    use lz4_flex::frame::{BlockSize, FrameInfo};
    let frame = lz4_frame(FrameInfo::new().block_size(BlockSize::Max4MB), b"records");
    let mut scratch = Scratch::default();
    inflate_all(MAGIC_V2, Codec::Lz4, Bytes::from(frame), 100, &mut scratch).unwrap();
    assert!(scratch.blocks.unwrap().capacity() < 4_096);
}

#[test]
fn state_that_grew_large_is_not_kept() {
    let bare = snap::raw::Encoder::new()
        .compress_vec(&vec![7; 3 * KEEP_BLOCK_BYTES])
        .unwrap();
    let mut scratch = Scratch::default();
    inflate_all(
        MAGIC_V2,
        Codec::Snappy,
        Bytes::from(bare),
        u64::MAX,
        &mut scratch,
    )
    .unwrap();
    assert!(scratch.blocks.is_none());
}

#[test]
fn batches_open_at_the_same_time_do_not_share_state() {
    for codec in Codec::ALL {
        let mut scratch = Scratch::default();
        let [mut first, mut second] = [text(200_000), vec![9; 200_000]].map(|content| {
            let compressed = Bytes::from(codec.compress_behind(0, &content));
            (
                Inflater::open(codec, compressed, u64::MAX, &mut scratch),
                Vec::new(),
            )
        });
        loop {
            let mut ended = 0;
            for (inflater, whole) in [&mut first, &mut second] {
                match inflater.next_piece().unwrap() {
                    Some(piece) => whole.extend_from_slice(piece),
                    None => ended += 1,
                }
            }
            if ended == 2 {
                break;
            }
        }
        assert!(first.1 == text(200_000), "{codec:?}");
        assert!(second.1 == vec![9; 200_000], "{codec:?}");
    }
}

/// A frame written without knowing its size, as Java's producer does, with a window of 2 to the `window_log` bytes.
fn zstd_frame(window_log: u32, content: &[u8]) -> Bytes {
    use std::io::Write;
    let mut encoder = ::zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(window_log).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap().into()
}

#[test]
fn zstd_state_is_kept_for_the_windows_producers_use_and_given_up_beyond() {
    let mut scratch = Scratch::default();
    for (window_log, kept) in [(21, true), (23, true), (27, false), (17, true)] {
        let frame = zstd_frame(window_log, &text(300_000));
        let whole = inflate_all(MAGIC_V2, Codec::Zstd, frame, u64::MAX, &mut scratch).unwrap();
        assert!(whole == text(300_000), "window {window_log}");
        assert_eq!(scratch.zstd.is_some(), kept, "window {window_log}");
    }
}

#[test]
fn a_zstd_window_no_encoder_needs_is_refused() {
    let frame = zstd_frame(28, &text(300_000));
    problem(Codec::Zstd, &frame);
}
