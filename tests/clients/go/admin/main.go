// franz-go's kadm: what it can ask of a broker, one line for each thing seen. The contract is ../../README.md.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A program that cannot finish within this time says so instead of hanging its test.
const deadline = 120 * time.Second

func main() {
	client, err := kgo.NewClient(kgo.SeedBrokers(os.Args[1]))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	admin := kadm.NewClient(client)
	topics(ctx, admin)
	records(ctx, client, admin)
	configs(ctx, admin)
	cluster(ctx, admin)
	groups(ctx, admin)
	deletions(ctx, admin)
}

// see prints an answer, or the error in its place with the broker's own words.
func see(what string, seen any, err error, words ...string) {
	if err != nil {
		seen = strings.TrimSpace(err.Error() + " " + strings.Join(words, " "))
	}
	fmt.Printf("%s\t%v\n", what, seen)
}

func topics(ctx context.Context, admin *kadm.Client) {
	never, compact, bad := "-1", "compact", "soon"
	create := func(what, name string, partitions int32, replicas int16, configs map[string]*string) {
		made, err := admin.CreateTopic(ctx, partitions, replicas, configs, name)
		see("create, "+what, fmt.Sprint(made.NumPartitions, made.ReplicationFactor, len(made.Configs) > 0), err, made.ErrMessage)
	}
	create("2 partitions", "orders", 2, 1, map[string]*string{"retention.ms": &never, "cleanup.policy": &compact})
	create("already there", "orders", 2, 1, nil)
	create("defaults", "defaults", -1, -1, nil)
	create("3 replicas", "bad", 1, 3, nil)
	create("0 partitions", "bad", 0, 1, nil)
	create("a name with a space", "a b", 1, 1, nil)
	create("an unknown config", "bad", 1, 1, map[string]*string{"no.such": &never})
	create("a bad value", "bad", 1, 1, map[string]*string{"retention.ms": &bad})
	valid, err := admin.ValidateCreateTopics(ctx, 1, 1, nil, "valid")
	see("create, validate only", valid["valid"].NumPartitions, err)

	grow := func(what string, to int, name string) {
		grown, err := admin.UpdatePartitions(ctx, to, name)
		if err == nil {
			err = grown[name].Err
		}
		see(what, "done", err, grown[name].ErrMessage)
	}
	grow("3 partitions", 3, "orders")
	grow("2 partitions", 2, "orders")
	grow("partitions of an absent topic", 2, "absent")
	listed, err := admin.ListTopics(ctx)
	see("list", listed.Names(), err)
}

func records(ctx context.Context, client *kgo.Client, admin *kadm.Client) {
	for i := range 10 {
		at := time.UnixMilli(1_000_000_000_000 + int64(i))
		record := &kgo.Record{Topic: "defaults", Value: []byte("value"), Timestamp: at}
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			see("produce", nil, err)
		}
	}
	offset := func(what string, listed kadm.ListedOffsets, err error) {
		found, _ := listed.Lookup("defaults", 0)
		see(what, fmt.Sprint(found.Offset, " at ", found.Timestamp, " epoch ", found.LeaderEpoch), err)
	}
	listed, err := admin.ListStartOffsets(ctx, "defaults")
	offset("earliest", listed, err)
	listed, err = admin.ListEndOffsets(ctx, "defaults")
	offset("latest", listed, err)
	listed, err = admin.ListCommittedOffsets(ctx, "defaults")
	offset("latest, read committed", listed, err)
	listed, err = admin.ListMaxTimestampOffsets(ctx, "defaults")
	offset("of the largest timestamp", listed, err)
	listed, err = admin.ListOffsetsAfterMilli(ctx, 1_000_000_000_003, "defaults")
	offset("of a timestamp", listed, err)
	remove := func(what string, at int64) {
		removed, err := admin.DeleteRecords(ctx, kadm.OffsetsFromRecords(kgo.Record{Topic: "defaults", Offset: at - 1}))
		found, _ := removed.Lookup("defaults", 0)
		if err == nil {
			err = found.Err
		}
		see(what, found.LowWatermark, err)
	}
	remove("delete records", 4)
	remove("delete records, beyond the end", 11)
	remove("delete all records", -1)
	var set kadm.TopicsSet
	set.Add("defaults", 0)
	producers, err := admin.DescribeProducers(ctx, set)
	see("producers", len(producers["defaults"].Partitions[0].ActiveProducers), err)
}

func configs(ctx context.Context, admin *kadm.Client) {
	alter := func(what, name, key string, value *string, op kadm.IncrementalOp) {
		altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: op, Name: key, Value: value}}, name)
		words := ""
		if err == nil {
			words, err = altered[0].ErrMessage, altered[0].Err
		}
		see(what, "done", err, words)
	}
	small, remove, bad := "4242", "delete", "soon"
	alter("set", "orders", "max.message.bytes", &small, kadm.SetConfig)
	alter("append", "orders", "cleanup.policy", &remove, kadm.AppendConfig)
	alter("subtract", "orders", "cleanup.policy", &remove, kadm.SubtractConfig)
	alter("delete", "orders", "max.message.bytes", nil, kadm.DeleteConfig)
	alter("a bad value", "orders", "retention.ms", &bad, kadm.SetConfig)
	alter("set of an absent topic", "absent", "retention.ms", &small, kadm.SetConfig)
	described, err := admin.DescribeTopicConfigs(ctx, "orders")
	if err == nil {
		for _, config := range described[0].Configs {
			if config.Key == "cleanup.policy" || config.Key == "retention.ms" {
				see("config "+config.Key, fmt.Sprint(config.MaybeValue(), " ", config.Source, " ", len(config.Synonyms)), nil)
			}
		}
	}
	see("configs", len(described[0].Configs), err)
}

func cluster(ctx context.Context, admin *kadm.Client) {
	metadata, err := admin.BrokerMetadata(ctx)
	see("cluster", fmt.Sprint(len(metadata.Brokers), len(metadata.Cluster), metadata.Controller == metadata.Brokers[0].NodeID), err)
	var first, absent kadm.TopicsSet
	first.Add("orders", 0)
	absent.Add("absent", 0)
	elected, err := admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, first)
	see("elect", fmt.Sprint(elected["orders"][0].Err, " ", elected["orders"][0].ErrMessage), err)
	elected, err = admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, absent)
	see("elect, absent", fmt.Sprint(elected["absent"][0].Err, " ", elected["absent"][0].ErrMessage), err)
	moving, err := admin.ListPartitionReassignments(ctx, first)
	see("reassignments", len(moving), err)
	var to kadm.AlterPartitionAssignmentsReq
	to.Assign("orders", 0, []int32{99})
	moved, err := admin.AlterPartitionAssignments(ctx, to)
	see("reassign to an unknown broker", fmt.Sprint(moved["orders"][0].Err, " ", moved["orders"][0].ErrMessage), err)
	dirs, err := admin.DescribeAllLogDirs(ctx, first)
	see("log dirs", len(dirs), err)
	listed, err := admin.ListTransactions(ctx, nil, nil)
	see("transactions", len(listed), err)
	_, err = admin.ListTransactionsByTxPattern(ctx, nil, nil, "(")
	see("transactions, a bad pattern", "listed", err)
	acls, err := admin.DescribeACLs(ctx, kadm.NewACLs().AnyResource().Allow().Deny().AllowHosts().DenyHosts().
		ResourcePatternType(kadm.ACLPatternAny).Operations(kadm.OpAny))
	if err == nil && len(acls) > 0 {
		err = acls[0].Err
	}
	see("acls", "described", err)
}

func groups(ctx context.Context, admin *kadm.Client) {
	var at kadm.Offsets
	at.AddOffset("orders", 0, 1, -1)
	at.AddOffset("orders", 1, 2, -1)
	_, err := admin.CommitOffsets(ctx, "made", at)
	see("commit offsets", "done", err)
	offsets, err := admin.FetchOffsets(ctx, "made")
	found, _ := offsets.Lookup("orders", 0)
	see("offsets", found.At, err)
	listed, err := admin.ListGroups(ctx)
	for _, group := range listed.Sorted() {
		see("listed", fmt.Sprint(group.Group, " ", group.ProtocolType, " ", group.State), nil)
	}
	see("groups", len(listed), err)
	described, err := admin.DescribeGroups(ctx, "made", "absent")
	for _, group := range described.Sorted() {
		see("group "+group.Group, group.State, group.Err)
	}
	see("described", len(described), err)
	var of kadm.TopicsSet
	of.Add("orders", 0)
	deleted, err := admin.DeleteOffsets(ctx, "made", of)
	see("delete offsets", deleted["orders"][0], err)
	for _, group := range []string{"made", "absent"} {
		gone, err := admin.DeleteGroup(ctx, group)
		see("delete group "+group, gone.Group, err)
	}
}

func deletions(ctx context.Context, admin *kadm.Client) {
	for _, topic := range []string{"orders", "absent"} {
		gone, err := admin.DeleteTopic(ctx, topic)
		see("delete "+topic, gone.Topic, err, gone.ErrMessage)
	}
	listed, err := admin.ListTopics(ctx)
	names := listed.Names()
	sort.Strings(names)
	see("topics at the end", names, err)
}
