// franz-go. The contract is ../README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A driver that cannot finish within this time says so instead of hanging its test.
const deadline = 120 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// topicList is the option --topic, which may be repeated.
type topicList []string

func (l *topicList) String() string { return strings.Join(*l, " ") }

func (l *topicList) Set(topic string) error {
	*l = append(*l, topic)
	return nil
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("usage: driver version|create|produce|consume [--option value]..., driver groups scenarios|member ..., or driver transactions scenarios BOOTSTRAP")
	}
	if args[0] == "groups" {
		return groups(args[1:])
	}
	if args[0] == "transactions" {
		return transactions(args[1:])
	}
	var topics topicList
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	bootstrap := flags.String("bootstrap", "", "HOST:PORT")
	codec := flags.String("codec", "none", "none, gzip, snappy, lz4 or zstd")
	idempotent := flags.Bool("idempotent", true, "number the batches, so that a repeated one is stored once")
	partitions := flags.Int("partitions", 1, "of the new topic")
	flags.Var(&topics, "topic", "topic, may be repeated")
	// `--idempotent false` is two words, which the flag package does not take for a bool.
	if err := flags.Parse(joinIdempotent(args[1:])); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	switch args[0] {
	case "version":
		return version()
	case "create":
		return create(ctx, *bootstrap, topics, int32(*partitions))
	case "produce":
		return produce(ctx, *bootstrap, *codec, *idempotent)
	case "consume":
		return consume(ctx, *bootstrap, topics)
	default:
		return fmt.Errorf("unknown command %q", args[0])
	}
}

func joinIdempotent(args []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--idempotent" && i+1 < len(args) {
			joined = append(joined, args[i]+"="+args[i+1])
			i++
			continue
		}
		joined = append(joined, args[i])
	}
	return joined
}

func version() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("built without module information")
	}
	for _, module := range info.Deps {
		if module.Path == "github.com/twmb/franz-go" {
			fmt.Println("franz-go", module.Version)
		}
	}
	return nil
}

func create(ctx context.Context, bootstrap string, topics []string, partitions int32) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		return err
	}
	defer client.Close()
	created, err := kadm.NewClient(client).CreateTopics(ctx, partitions, 1, nil, topics...)
	if err != nil {
		return err
	}
	return created.Error()
}
