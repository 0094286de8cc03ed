package main

import (
	"bufio"
	"context"
	"os"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// consume prints every record of the topics, up to the end offsets found at the start.
func consume(ctx context.Context, bootstrap string, topics []string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	if err := ends.Error(); err != nil {
		return err
	}
	assigned := map[string]map[int32]kgo.Offset{}
	waiting := map[string]map[int32]int64{} // the end of each partition that is not read to it yet
	partitionsLeft := 0
	ends.Each(func(end kadm.ListedOffset) {
		if assigned[end.Topic] == nil {
			assigned[end.Topic] = map[int32]kgo.Offset{}
			waiting[end.Topic] = map[int32]int64{}
		}
		if end.Offset > 0 {
			assigned[end.Topic][end.Partition] = kgo.NewOffset().AtStart()
			waiting[end.Topic][end.Partition] = end.Offset
			partitionsLeft++
		}
	})
	client.AddConsumePartitions(assigned)

	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for partitionsLeft > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		var failed error
		fetches.EachRecord(func(record *kgo.Record) {
			if err := writeRecord(out, record); err != nil {
				failed = err
			}
			end, isWaiting := waiting[record.Topic][record.Partition]
			if isWaiting && record.Offset+1 >= end {
				delete(waiting[record.Topic], record.Partition)
				partitionsLeft--
			}
		})
		if failed != nil {
			return failed
		}
	}
	return out.Flush()
}
