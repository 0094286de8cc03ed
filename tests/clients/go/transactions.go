// Transactions as franz-go sees them. The contract is ../README.md, "Transactions".
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const copied = 200

func transactions(args []string) error {
	if len(args) != 2 || args[0] != "scenarios" {
		return errors.New("usage: driver transactions scenarios BOOTSTRAP")
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	bootstrap := args[1]
	if err := commitsAndAborts(ctx, bootstrap); err != nil {
		return err
	}
	if err := copyInTransactions(ctx, bootstrap); err != nil {
		return err
	}
	fmt.Println("ran to its end")
	return nil
}

func makeTopics(ctx context.Context, bootstrap string, topics ...string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		return err
	}
	defer client.Close()
	made, err := kadm.NewClient(client).CreateTopics(ctx, 3, 1, nil, topics...)
	if err != nil {
		return err
	}
	return made.Error()
}

// committed is what a reader of committed records finds, until it has so many and nothing comes after them.
func committed(ctx context.Context, bootstrap, topic string, count int) ([]string, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var found []string
	for quiet := 0; len(found) < count || quiet < 3; quiet++ {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%d of %d records in %s", len(found), count, topic)
		}
		brief, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		fetches := client.PollFetches(brief)
		cancel()
		fetches.EachRecord(func(record *kgo.Record) {
			found = append(found, string(record.Value))
			quiet = 0
		})
	}
	slices.Sort(found)
	return found, nil
}

func expectCommitted(ctx context.Context, bootstrap, topic string, expected []string) error {
	found, err := committed(ctx, bootstrap, topic, len(expected))
	if err != nil {
		return err
	}
	slices.Sort(expected)
	if !slices.Equal(found, expected) {
		return fmt.Errorf("found %v and not %v", found, expected)
	}
	return nil
}

func commitsAndAborts(ctx context.Context, bootstrap string) error {
	if err := makeTopics(ctx, bootstrap, "go-plain"); err != nil {
		return err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.TransactionalID("go-plain"),
		kgo.DefaultProduceTopic("go-plain"))
	if err != nil {
		return err
	}
	defer client.Close()
	var kept []string
	for number := range 12 {
		if err := client.BeginTransaction(); err != nil {
			return err
		}
		var batch []string
		for index := range 5 {
			value := fmt.Sprintf("%d-%d", number, index)
			batch = append(batch, value)
			client.Produce(ctx, kgo.StringRecord(value), nil)
		}
		if err := client.Flush(ctx); err != nil {
			return err
		}
		commit := number%3 != 1
		if err := client.EndTransaction(ctx, kgo.TransactionEndTry(commit)); err != nil {
			return err
		}
		if commit {
			kept = append(kept, batch...)
		}
	}
	if err := expectCommitted(ctx, bootstrap, "go-plain", kept); err != nil {
		return err
	}
	fmt.Println("commits are read, aborts are not")
	return nil
}

func copyInTransactions(ctx context.Context, bootstrap string) error {
	if err := makeTopics(ctx, bootstrap, "go-in", "go-out"); err != nil {
		return err
	}
	feed, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.DefaultProduceTopic("go-in"))
	if err != nil {
		return err
	}
	var all []string
	for number := range copied {
		all = append(all, strconv.Itoa(number))
		feed.Produce(ctx, kgo.StringRecord(strconv.Itoa(number)), nil)
	}
	if err := feed.Flush(ctx); err != nil {
		return err
	}
	feed.Close()
	done := 0
	for round := 0; done < copied; round++ {
		count, err := copySome(ctx, bootstrap, round, copied-done)
		if err != nil {
			return err
		}
		done += count
	}
	if err := expectCommitted(ctx, bootstrap, "go-out", all); err != nil {
		return err
	}
	fmt.Println("every record was copied once")
	return nil
}

// copySome copies some transactions' worth; every other round gives up its last one.
func copySome(ctx context.Context, bootstrap string, round, left int) (int, error) {
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(bootstrap), kgo.TransactionalID("go-copy"), kgo.DefaultProduceTopic("go-out"),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumerGroup("go-group"), kgo.ConsumeTopics("go-in"),
		kgo.RequireStableFetchOffsets(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, err
	}
	defer session.Close()
	done := 0
	for step := range 4 {
		records := session.PollRecords(ctx, 1+(7*round+step)%40).Records()
		if ctx.Err() != nil {
			return done, fmt.Errorf("%d records copied in round %d", done, round)
		}
		if err := session.Begin(); err != nil {
			return done, err
		}
		for _, record := range records {
			session.Produce(ctx, kgo.StringRecord(string(record.Value)), nil)
		}
		giveUp := round%2 == 0 && step == 2
		ended, err := session.End(ctx, kgo.TransactionEndTry(!giveUp))
		if err != nil {
			return done, err
		}
		if ended {
			done += len(records)
		}
		if giveUp || done >= left {
			break
		}
	}
	return done, nil
}
