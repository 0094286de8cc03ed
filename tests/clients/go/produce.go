package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// produce writes every record of stdin and prints where each one went, in the order of stdin.
func produce(ctx context.Context, bootstrap, codec string, idempotent bool) error {
	client, err := newProducer(bootstrap, codec, idempotent)
	if err != nil {
		return err
	}
	defer client.Close()
	var sent []*kgo.Record
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		record, err := parseRecord(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return err
		}
		sent = append(sent, record)
	}
	if err := client.ProduceSync(ctx, sent...).FirstErr(); err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	for _, record := range sent {
		fmt.Fprintf(out, "%d\t%d\n", record.Partition, record.Offset)
	}
	return out.Flush()
}

func newProducer(bootstrap, codec string, idempotent bool) (*kgo.Client, error) {
	codecs := map[string]kgo.CompressionCodec{
		"none":   kgo.NoCompression(),
		"gzip":   kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(),
		"lz4":    kgo.Lz4Compression(),
		"zstd":   kgo.ZstdCompression(),
	}
	compression, known := codecs[codec]
	if !known {
		return nil, fmt.Errorf("unknown codec %q", codec)
	}
	// No RecordDeliveryTimeout: it counts from the record's own timestamp, which may be long past.
	options := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.ProducerBatchCompression(compression),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(givenOrKeyed{kgo.StickyKeyPartitioner(nil)}),
		kgo.AllowAutoTopicCreation(),
	}
	if !idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	return kgo.NewClient(options...)
}

// givenOrKeyed puts a record where it says, and leaves the others to the client's own partitioner.
type givenOrKeyed struct{ keyed kgo.Partitioner }

func (p givenOrKeyed) ForTopic(topic string) kgo.TopicPartitioner {
	return givenOrKeyedTopic{p.keyed.ForTopic(topic)}
}

type givenOrKeyedTopic struct{ keyed kgo.TopicPartitioner }

func (p givenOrKeyedTopic) RequiresConsistency(record *kgo.Record) bool {
	return record.Partition != anyPartition || p.keyed.RequiresConsistency(record)
}

func (p givenOrKeyedTopic) Partition(record *kgo.Record, partitions int) int {
	if record.Partition != anyPartition {
		return int(record.Partition)
	}
	return p.keyed.Partition(record, partitions)
}
