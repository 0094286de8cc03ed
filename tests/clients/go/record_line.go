package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The partition of a record whose place the client's own partitioner chooses.
const anyPartition = -1

// parseRecord reads one record line; ../README.md has the format.
func parseRecord(line string) (*kgo.Record, error) {
	fields := strings.Split(line, "\t")
	if len(fields) < 6 || len(fields)%2 != 0 {
		return nil, fmt.Errorf("a record line of %d fields", len(fields))
	}
	record := &kgo.Record{Topic: fields[0], Partition: anyPartition}
	if fields[1] != "-" {
		partition, err := strconv.ParseInt(fields[1], 10, 32)
		if err != nil {
			return nil, err
		}
		record.Partition = int32(partition)
	}
	timestamp, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil {
		return nil, err
	}
	record.Timestamp = time.UnixMilli(timestamp)
	if record.Key, err = parseBytes(fields[4]); err != nil {
		return nil, err
	}
	if record.Value, err = parseBytes(fields[5]); err != nil {
		return nil, err
	}
	for i := 6; i < len(fields); i += 2 {
		name, err := parseBytes(fields[i])
		if err != nil {
			return nil, err
		}
		content, err := parseBytes(fields[i+1])
		if err != nil {
			return nil, err
		}
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: string(name), Value: content})
	}
	return record, nil
}

func writeRecord(out *bufio.Writer, record *kgo.Record) error {
	fields := []string{
		record.Topic,
		strconv.Itoa(int(record.Partition)),
		strconv.FormatInt(record.Offset, 10),
		strconv.FormatInt(record.Timestamp.UnixMilli(), 10),
		formatBytes(record.Key),
		formatBytes(record.Value),
	}
	for _, header := range record.Headers {
		fields = append(fields, formatBytes([]byte(header.Key)), formatBytes(header.Value))
	}
	_, err := io.WriteString(out, strings.Join(fields, "\t")+"\n")
	return err
}

// parseBytes keeps null (nil) and empty (not nil) apart.
func parseBytes(field string) ([]byte, error) {
	if field == "-" {
		return nil, nil
	}
	return base64.StdEncoding.DecodeString(field)
}

func formatBytes(data []byte) string {
	if data == nil {
		return "-"
	}
	return base64.StdEncoding.EncodeToString(data)
}
