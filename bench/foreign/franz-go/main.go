// The workloads of bench/programs on franz-go: `bench <work> key=value ...`, answered by one line `RESULT {json}`.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	options = map[string]string{}
	figures = map[string]any{"version": "1.18.1"}
	ctx     = context.Background()
	began   = time.Now()
	values  [][]byte
)

func number(name string) int {
	value, err := strconv.Atoi(options[name])
	must(err)
	return value
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func nowMs() float64 { return float64(time.Since(began).Nanoseconds()) / 1e6 }

func cpuMs() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(0, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

// Idempotent, its own default.
func producer(lingerMs int) *kgo.Client {
	compression := kgo.NoCompression()
	if options["compression"] == "lz4" {
		compression = kgo.Lz4Compression()
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(options["brokers"]), kgo.DefaultProduceTopic(options["topic"]), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(time.Duration(lingerMs)*time.Millisecond), kgo.MaxBufferedRecords(200_000), kgo.ProducerBatchCompression(compression))
	must(err)
	return client
}

func consumer(group string) *kgo.Client {
	client, err := kgo.NewClient(kgo.SeedBrokers(options["brokers"]), kgo.ConsumerGroup(group), kgo.ConsumeTopics(options["topic"]),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	must(err)
	return client
}

func sendAll(client *kgo.Client, count, atOnce int) {
	for next := 0; next < count; {
		var left sync.WaitGroup
		for i := min(atOnce, count-next); i > 0; i-- {
			left.Add(1)
			client.Produce(ctx, &kgo.Record{Value: values[next%len(values)]}, func(_ *kgo.Record, err error) {
				must(err)
				left.Done()
			})
			next++
		}
		left.Wait()
	}
}

func measured(work func()) {
	cpu, from := cpuMs(), nowMs()
	work()
	figures["wallMs"], figures["cpuMs"] = nowMs()-from, cpuMs()-cpu
}

func percentiles(took []float64) {
	sort.Float64s(took)
	figures["p50Ms"], figures["p99Ms"] = took[len(took)/2], took[len(took)*99/100]
}

func publish(lingerMs int, atOnce func(count int) int) {
	client := producer(lingerMs)
	warm, count := number("warm"), number("count")
	sendAll(client, warm, atOnce(warm))
	measured(func() { sendAll(client, count, atOnce(count)) })
	client.Close()
}

func latency() {
	client := producer(0)
	send := func(i int) { must(client.ProduceSync(ctx, &kgo.Record{Value: values[i%len(values)]}).FirstErr()) }
	for i := 0; i < number("warm"); i++ {
		send(i)
	}
	took := make([]float64, number("count"))
	measured(func() {
		for i := range took {
			from := nowMs()
			send(i)
			took[i] = nowMs() - from
		}
	})
	percentiles(took)
}

func consume(group string) {
	client := consumer(group)
	warm := number("warm")
	seen, end := 0, warm+number("count")
	var cpu, from float64
	for seen < end {
		client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
			if len(record.Value) == 0 {
				must(fmt.Errorf("an empty value"))
			}
			seen++
			if seen == warm {
				cpu, from = cpuMs(), nowMs()
			} else if seen == end {
				figures["wallMs"], figures["cpuMs"] = nowMs()-from, cpuMs()-cpu
			}
		})
	}
}

func endToEnd(group string) {
	rate, bytes := number("rate"), number("recordBytes")
	total := (number("warmSeconds") + number("seconds")) * rate
	var lock sync.Mutex
	var took []float64
	var seen, sent atomic.Int64
	var since atomic.Uint64
	go func() {
		client := consumer(group)
		for {
			client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
				at := math.Float64frombits(binary.LittleEndian.Uint64(record.Value))
				if from := math.Float64frombits(since.Load()); from > 0 && at > from {
					lock.Lock()
					took = append(took, nowMs()-at)
					lock.Unlock()
				}
				seen.Add(1)
			})
		}
	}()
	client := producer(0)
	stamped := func() *kgo.Record {
		value := make([]byte, bytes)
		binary.LittleEndian.PutUint64(value, math.Float64bits(nowMs()))
		sent.Add(1)
		return &kgo.Record{Value: value}
	}
	for seen.Load() == 0 {
		must(client.ProduceSync(ctx, stamped()).FirstErr())
		time.Sleep(20 * time.Millisecond)
	}
	before, from, cpu := sent.Load(), nowMs(), 0.0
	for sent.Load() < before+int64(total) {
		now := nowMs()
		if since.Load() == 0 && now-from > float64(number("warmSeconds"))*1000 {
			since.Store(math.Float64bits(now))
			cpu = cpuMs()
		}
		for due := before + int64(math.Min(float64(total), (now-from)*float64(rate)/1000)); sent.Load() < due; {
			client.Produce(ctx, stamped(), nil)
		}
		time.Sleep(time.Millisecond)
	}
	for until := nowMs() + 5000; seen.Load() < sent.Load() && nowMs() < until; {
		time.Sleep(5 * time.Millisecond)
	}
	if seen.Load() < sent.Load() {
		must(fmt.Errorf("%d messages were sent, %d came", sent.Load(), seen.Load()))
	}
	figures["cpuMs"] = cpuMs() - cpu
	lock.Lock()
	figures["messages"] = len(took)
	percentiles(took)
}

func group(name string) {
	var lock sync.Mutex
	var last, silence float64
	watching := false
	for _, figure := range []string{"firstMs", "secondMs"} {
		from := nowMs()
		joined := make(chan float64, 1)
		go func() {
			client, first := consumer(name), true
			for {
				client.PollFetches(ctx).EachRecord(func(*kgo.Record) {
					lock.Lock()
					defer lock.Unlock()
					now := nowMs()
					if watching && last > 0 {
						silence = math.Max(silence, now-last)
					}
					last = now
					if first {
						joined <- now
					}
					first = false
				})
			}
		}()
		figures[figure] = <-joined - from
		if figure == "firstMs" {
			time.Sleep(time.Duration(number("settleMs")) * time.Millisecond)
			lock.Lock()
			watching = true
			lock.Unlock()
		}
	}
	time.Sleep(500 * time.Millisecond)
	lock.Lock()
	figures["silenceMs"] = silence
}

func main() {
	for _, argument := range os.Args[2:] {
		name, value, _ := strings.Cut(argument, "=")
		options[name] = value
	}
	if path := options["payload"]; path != "" {
		text, err := os.ReadFile(path)
		must(err)
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			values = append(values, []byte(line))
		}
	}
	name := fmt.Sprintf("bench-%d", os.Getpid())
	switch os.Args[1] {
	case "lists":
		publish(5, func(count int) int { return count })
	case "singles":
		publish(0, func(int) int { return number("atOnce") })
	case "latency":
		latency()
	case "consume":
		consume(name)
	case "end-to-end":
		endToEnd(name)
	case "group":
		group(name)
	case "start":
		client := producer(0)
		must(client.ProduceSync(ctx, &kgo.Record{Value: []byte("hello")}).FirstErr())
		client.Close()
	default:
		must(fmt.Errorf("no work named %s", os.Args[1]))
	}
	var usage syscall.Rusage
	must(syscall.Getrusage(0, &usage))
	figures["rssMb"], figures["totalCpuMs"] = float64(usage.Maxrss)/1024, cpuMs()
	line, err := json.Marshal(figures)
	must(err)
	fmt.Println("RESULT " + string(line))
}
