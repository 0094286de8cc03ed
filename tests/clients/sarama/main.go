// sarama, told by hand which version of Kafka it talks to, as programs with a fixed Config.Version do. It asks no ApiVersions before 0.10, and
// speaks the dialect of its version whatever the broker says.
//
//	driver VERSION BOOTSTRAP TOPIC
//
// Writes records in every codec that the version has, reads them back from the oldest, looks up offsets, consumes as a group and
// administers topics where the version can. Prints a line for each thing that was seen to work; whatever does not ends it with a reason.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/IBM/sarama"
)

// What cannot finish within this time says so instead of hanging its test.
const deadline = 60 * time.Second

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: driver VERSION BOOTSTRAP TOPIC")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(told, bootstrap, topic string) error {
	version, err := sarama.ParseKafkaVersion(told)
	if err != nil {
		return err
	}
	has := func(needed sarama.KafkaVersion) bool { return version.IsAtLeast(needed) }
	brokers := []string{bootstrap}
	if has(sarama.V0_10_2_0) {
		if err := administer(brokers, version, topic); err != nil {
			return fmt.Errorf("administer: %w", err)
		}
	}
	codecs := []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy}
	if has(sarama.V0_10_0_0) {
		codecs = append(codecs, sarama.CompressionLZ4)
	}
	if has(sarama.V2_1_0_0) {
		codecs = append(codecs, sarama.CompressionZSTD)
	}
	written, err := produce(brokers, version, topic, codecs)
	if err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	if err := consume(brokers, version, topic, written); err != nil {
		return fmt.Errorf("consume: %w", err)
	}
	if has(sarama.V0_10_2_0) {
		if err := consumeAsGroup(brokers, version, topic, written); err != nil {
			return fmt.Errorf("consume as a group: %w", err)
		}
	}
	fmt.Println("ran to its end")
	return nil
}

func config(version sarama.KafkaVersion) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = version
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Metadata.Retry.Max = 20
	return config
}

func produce(brokers []string, version sarama.KafkaVersion, topic string, codecs []sarama.CompressionCodec) ([]string, error) {
	var written []string
	for _, codec := range codecs {
		config := config(version)
		config.Producer.Compression = codec
		producer, err := sarama.NewSyncProducer(brokers, config)
		if err != nil {
			return nil, err
		}
		var batch []*sarama.ProducerMessage
		for number := range 10 {
			value := fmt.Sprintf("%s %d", codec, number)
			written = append(written, value)
			batch = append(batch, &sarama.ProducerMessage{
				Topic: topic, Key: sarama.StringEncoder("key"), Value: sarama.StringEncoder(value),
			})
		}
		if err := producer.SendMessages(batch); err != nil {
			return nil, fmt.Errorf("%s: %w", codec, err)
		}
		if err := producer.Close(); err != nil {
			return nil, err
		}
		fmt.Println("produced", codec)
	}
	return written, nil
}

func consume(brokers []string, version sarama.KafkaVersion, topic string, written []string) error {
	client, err := sarama.NewClient(brokers, config(version))
	if err != nil {
		return err
	}
	defer client.Close()
	for time_, expected := range map[int64]int64{sarama.OffsetOldest: 0, sarama.OffsetNewest: int64(len(written))} {
		if offset, err := client.GetOffset(topic, 0, time_); err != nil || offset != expected {
			return fmt.Errorf("offset for time %d: %d, %w; expected %d", time_, offset, err, expected)
		}
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	partition, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	if err != nil {
		return err
	}
	defer partition.Close()
	late := time.After(deadline)
	for offset, value := range written {
		select {
		case record := <-partition.Messages():
			if record.Offset != int64(offset) || string(record.Value) != value || string(record.Key) != "key" {
				return fmt.Errorf("%d %s=%s stands where %d key=%s was written", record.Offset, record.Key, record.Value, offset, value)
			}
			if version.IsAtLeast(sarama.V0_10_0_0) && time.Since(record.Timestamp).Abs() > time.Hour {
				return fmt.Errorf("offset %d is dated %s", offset, record.Timestamp)
			}
		case <-late:
			return fmt.Errorf("nothing at offset %d", offset)
		}
	}
	fmt.Println("consumed", len(written))
	return nil
}

// member counts what it is given and ends its session when that is all.
type member struct {
	expected int
	found    int
	done     context.CancelFunc
}

func (m *member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for record := range claim.Messages() {
		session.MarkMessage(record, "")
		m.found++
		if m.found == m.expected {
			m.done()
			return nil
		}
	}
	return nil
}

func consumeAsGroup(brokers []string, version sarama.KafkaVersion, topic string, written []string) error {
	name := "group-of-" + topic
	group, err := sarama.NewConsumerGroup(brokers, name, config(version))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	member := &member{expected: len(written), done: cancel}
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{topic}, member); err != nil {
			return err
		}
	}
	if err := group.Close(); err != nil {
		return err
	}
	if member.found != len(written) {
		return fmt.Errorf("%d records of %d", member.found, len(written))
	}
	client, err := sarama.NewClient(brokers, config(version))
	if err != nil {
		return err
	}
	defer client.Close()
	offsets, err := sarama.NewOffsetManagerFromClient(name, client)
	if err != nil {
		return err
	}
	defer offsets.Close()
	partition, err := offsets.ManagePartition(topic, 0)
	if err != nil {
		return err
	}
	defer partition.Close()
	if committed, _ := partition.NextOffset(); committed != int64(len(written)) {
		return fmt.Errorf("%d is committed, %d were read", committed, len(written))
	}
	fmt.Println("consumed as a group and committed")
	return nil
}

func administer(brokers []string, version sarama.KafkaVersion, topic string) error {
	admin, err := sarama.NewClusterAdmin(brokers, config(version))
	if err != nil {
		return err
	}
	defer admin.Close()
	for _, name := range []string{topic, topic + "-gone"} {
		if err := admin.CreateTopic(name, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false); err != nil {
			return err
		}
	}
	if err := admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false); err == nil {
		return fmt.Errorf("%s was created twice", topic)
	}
	if err := admin.DeleteTopic(topic + "-gone"); err != nil {
		return err
	}
	topics, err := admin.DescribeTopics([]string{topic, topic + "-gone"})
	if err != nil {
		return err
	}
	for _, found := range topics {
		if there := found.Err == sarama.ErrNoError; there != (found.Name == topic) {
			return fmt.Errorf("%s: %w", found.Name, found.Err)
		}
	}
	fmt.Println("created and deleted topics")
	return nil
}
