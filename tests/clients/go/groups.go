// What members of a group see, with franz-go. The contract is ../README.md, "Groups".
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func groups(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "scenarios":
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		return groupScenarios(ctx, args[1])
	case len(args) == 4 && args[0] == "member":
		return groupMember(args[1], args[2], args[3])
	default:
		return errors.New("usage: driver groups scenarios BOOTSTRAP, or driver groups member BOOTSTRAP GROUP TOPIC")
	}
}

type partition struct {
	topic  string
	number int32
}

// member polls on its own and keeps what it has seen.
type member struct {
	client *kgo.Client
	done   chan struct{}

	lock        sync.Mutex
	owned       map[partition]bool
	revoked     int
	assignments int
	read        map[string]int
	failure     error
}

func newMember(bootstrap, group string, balancer kgo.GroupBalancer, more ...kgo.Opt) (*member, error) {
	m := &member{done: make(chan struct{}), owned: map[partition]bool{}, read: map[string]int{}}
	gone := func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
		m.lock.Lock()
		defer m.lock.Unlock()
		for topic, numbers := range partitions {
			for _, number := range numbers {
				delete(m.owned, partition{topic, number})
				m.revoked++
			}
		}
	}
	options := append([]kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumerGroup(group),
		kgo.Balancers(balancer),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(300 * time.Millisecond),
		kgo.SessionTimeout(10 * time.Second),
		kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.MetadataMaxAge(500 * time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.lock.Lock()
			defer m.lock.Unlock()
			m.assignments++
			for topic, numbers := range partitions {
				for _, number := range numbers {
					m.owned[partition{topic, number}] = true
				}
			}
		}),
		kgo.OnPartitionsRevoked(gone),
		kgo.OnPartitionsLost(gone),
	}, more...)
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	m.client = client
	go m.poll()
	return m, nil
}

func (m *member) poll() {
	defer close(m.done)
	for {
		fetches := m.client.PollFetches(context.Background())
		if fetches.IsClientClosed() {
			return
		}
		m.lock.Lock()
		fetches.EachRecord(func(record *kgo.Record) {
			m.read[fmt.Sprintf("%s-%d:%d", record.Topic, record.Partition, record.Offset)]++
		})
		m.lock.Unlock()
		if err := m.client.CommitUncommittedOffsets(context.Background()); err != nil && fetches.NumRecords() > 0 {
			m.lock.Lock()
			m.failure = err
			m.lock.Unlock()
		}
	}
}

func (m *member) close() error {
	m.client.Close()
	<-m.done
	return m.failure
}

// owns says how many partitions the member has.
func (m *member) owns() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.owned)
}

func (m *member) ownedNow() map[partition]bool {
	m.lock.Lock()
	defer m.lock.Unlock()
	return maps.Clone(m.owned)
}

func (m *member) readNow() map[string]int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return maps.Clone(m.read)
}

func wait(what string, done func() bool) error {
	for begin := time.Now(); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > deadline/2 {
			return fmt.Errorf("in vain: %s", what)
		}
	}
	return nil
}

func groupScenarios(ctx context.Context, bootstrap string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	steps := []func() error{
		func() error { return membersShare(ctx, admin, client, bootstrap, "eager", kgo.RangeBalancer(), 6) },
		func() error {
			return membersShare(ctx, admin, client, bootstrap, "cooperative", kgo.CooperativeStickyBalancer(), 3)
		},
		func() error { return staticMembersComeBack(ctx, admin, bootstrap) },
		func() error { return topicsAndPartitionsAreNoticed(ctx, admin, bootstrap) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	fmt.Println("ran to its end")
	return nil
}

func membersShare(
	ctx context.Context, admin *kadm.Client, producer *kgo.Client, bootstrap, name string, balancer kgo.GroupBalancer, revoked int,
) error {
	topic := "go-" + name
	if _, err := admin.CreateTopic(ctx, 6, 1, nil, topic); err != nil {
		return err
	}
	start := func() (*member, error) { return newMember(bootstrap, topic, balancer, kgo.ConsumeTopics(topic)) }
	first, err := start()
	if err != nil {
		return err
	}
	if err := wait("the first member has all", func() bool { return first.owns() == 6 }); err != nil {
		return err
	}
	second, err := start()
	if err != nil {
		return err
	}
	halves := func() bool { return first.owns() == 3 && second.owns() == 3 }
	if err := wait("each has its half", halves); err != nil {
		return err
	}
	if first.revoked != revoked {
		return fmt.Errorf("%s: %d partitions were revoked", name, first.revoked)
	}
	if err := write(ctx, producer, topic, 120); err != nil {
		return err
	}
	read := map[string]int{}
	all := func() bool {
		read = first.readNow()
		for record, times := range second.readNow() {
			read[record] += times
		}
		return len(read) == 120
	}
	if err := wait("all is read", all); err != nil {
		return err
	}
	for record, times := range read {
		if times != 1 {
			return fmt.Errorf("%s was read %d times", record, times)
		}
	}
	if err := first.close(); err != nil {
		return err
	}
	if err := wait("the second member takes over", func() bool { return second.owns() == 6 }); err != nil {
		return err
	}
	if err := second.close(); err != nil {
		return err
	}
	if err := write(ctx, producer, topic, 30); err != nil {
		return err
	}
	third, err := start()
	if err != nil {
		return err
	}
	if err := wait("a later member goes on", func() bool { return len(third.readNow()) == 30 }); err != nil {
		return err
	}
	for record := range third.readNow() {
		if read[record] > 0 {
			return fmt.Errorf("%s was committed and is read again", record)
		}
	}
	fmt.Println("members share:", name)
	return third.close()
}

func staticMembersComeBack(ctx context.Context, admin *kadm.Client, bootstrap string) error {
	if _, err := admin.CreateTopic(ctx, 4, 1, nil, "go-static"); err != nil {
		return err
	}
	start := func(instance string) (*member, error) {
		return newMember(bootstrap, "go-static", kgo.RangeBalancer(), kgo.ConsumeTopics("go-static"), kgo.InstanceID(instance))
	}
	one, err := start("one")
	if err != nil {
		return err
	}
	two, err := start("two")
	if err != nil {
		return err
	}
	if err := wait("static members share", func() bool { return one.owns() == 2 && two.owns() == 2 }); err != nil {
		return err
	}
	before, assignments := two.ownedNow(), one.assignments
	if err := two.close(); err != nil {
		return err
	}
	again, err := start("two")
	if err != nil {
		return err
	}
	if err := wait("the static member is back", func() bool { return again.owns() == 2 }); err != nil {
		return err
	}
	if !maps.Equal(before, again.ownedNow()) {
		return fmt.Errorf("it had %v and has %v", before, again.ownedNow())
	}
	if one.assignments != assignments || one.owns() != 2 {
		return fmt.Errorf("the other was not left alone")
	}
	if err := again.close(); err != nil {
		return err
	}
	fmt.Println("static members come back")
	return one.close()
}

func topicsAndPartitionsAreNoticed(ctx context.Context, admin *kadm.Client, bootstrap string) error {
	if _, err := admin.CreateTopic(ctx, 1, 1, nil, "go-grow-1"); err != nil {
		return err
	}
	m, err := newMember(bootstrap, "go-grow", kgo.CooperativeStickyBalancer(), kgo.ConsumeRegex(), kgo.ConsumeTopics("^go-grow-.*"))
	if err != nil {
		return err
	}
	if err := wait("the topic that matches", func() bool { return m.owns() == 1 }); err != nil {
		return err
	}
	if _, err := admin.CreateTopic(ctx, 2, 1, nil, "go-grow-2"); err != nil {
		return err
	}
	if err := wait("a topic made later", func() bool { return m.owns() == 3 }); err != nil {
		return err
	}
	if _, err := admin.UpdatePartitions(ctx, 4, "go-grow-1"); err != nil {
		return err
	}
	if err := wait("partitions added later", func() bool { return m.owns() == 6 }); err != nil {
		return err
	}
	fmt.Println("topics and partitions are noticed")
	return m.close()
}

func write(ctx context.Context, client *kgo.Client, topic string, records int) error {
	var batch []*kgo.Record
	for number := range records {
		batch = append(batch, &kgo.Record{Topic: topic, Partition: int32(number % 6), Value: fmt.Appendf(nil, "value %d", number)})
	}
	return client.ProduceSync(ctx, batch...).FirstErr()
}

// groupMember prints what a member owns whenever that changes, until standard input ends.
func groupMember(bootstrap, group, topic string) error {
	m, err := newMember(bootstrap, group, kgo.RangeBalancer(), kgo.ConsumeTopics(topic))
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		// Whatever is read, the end is what counts.
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	printed := ""
	for {
		var owned []int
		for one := range m.ownedNow() {
			owned = append(owned, int(one.number))
		}
		slices.Sort(owned)
		if now := strings.ReplaceAll(fmt.Sprint(owned), " ", ", "); now != printed {
			fmt.Println("owns", now)
			printed = now
		}
		select {
		case <-ended:
			return m.close()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
