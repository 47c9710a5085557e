// Drains a slot by Trendyol's go-pq-cdc and prints each change as one line of JSON in the shape of walcat's.
//
// One argument, JSON: see Target.as_json in benchmarks/clients.py. When as many changes as it says are printed, stderr
// gets {"end": seconds since 1970, "changes": .., "bytes": ..}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	cdc "github.com/Trendyol/go-pq-cdc"
	"github.com/Trendyol/go-pq-cdc/config"
	"github.com/Trendyol/go-pq-cdc/pq/message/format"
	"github.com/Trendyol/go-pq-cdc/pq/publication"
	"github.com/Trendyol/go-pq-cdc/pq/replication"
	"github.com/Trendyol/go-pq-cdc/pq/slot"
)

const blockBytes = 256 * 1024

type target struct {
	Host        string `json:"host"`
	Port        int    `json:"port"`
	User        string `json:"user"`
	Password    string `json:"password"`
	Database    string `json:"database"`
	Slot        string `json:"slot"`
	Publication string `json:"publication"`
	Changes     int64  `json:"changes"`
}

type source struct {
	Schema string `json:"schema"`
	Table  string `json:"table"`
}

type change struct {
	Before map[string]any `json:"before"`
	After  map[string]any `json:"after"`
	Source source         `json:"source"`
	Op     string         `json:"op"`
}

type line struct {
	Message change `json:"message"`
}

type printer struct {
	out     *bufio.Writer
	wanted  int64
	changes int64
	bytes   int64
}

func main() {
	var to target
	if err := json.Unmarshal([]byte(os.Args[1]), &to); err != nil {
		fail(err)
	}
	p := &printer{out: bufio.NewWriterSize(os.Stdout, blockBytes), wanted: to.Changes}
	connector, err := cdc.NewConnector(context.Background(), configuration(to), p.take)
	if err != nil {
		fail(err)
	}
	connector.Start(context.Background())
	fail(fmt.Errorf("it stopped after %d changes", p.changes))
}

// The publication and the slot are there already.
func configuration(to target) config.Config {
	return config.Config{
		Host:        to.Host,
		Port:        to.Port,
		Username:    to.User,
		Password:    to.Password,
		Database:    to.Database,
		Publication: publication.Config{Name: to.Publication},
		Slot:        slot.Config{Name: to.Slot, SlotActivityCheckerInterval: 3000},
		Metric:      config.MetricConfig{Port: freePort()},
		Logger:      config.LoggerConfig{LogLevel: slog.LevelError},
	}
}

// It always serves metrics.
func freePort() int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func (p *printer) take(ctx *replication.ListenerContext) {
	switch message := ctx.Message.(type) {
	case *format.Insert:
		p.print(change{nil, message.Decoded, source{message.TableNamespace, message.TableName}, "c"})
	case *format.Update:
		p.print(change{message.OldDecoded, message.NewDecoded, source{message.TableNamespace, message.TableName}, "u"})
	case *format.Delete:
		p.print(change{message.OldDecoded, nil, source{message.TableNamespace, message.TableName}, "d"})
	}
	if err := ctx.Ack(); err != nil {
		fail(err)
	}
}

func (p *printer) print(what change) {
	text, err := json.Marshal(line{what})
	if err != nil {
		fail(err)
	}
	p.out.Write(text)
	p.out.WriteByte('\n')
	p.bytes += int64(len(text)) + 1
	p.changes++
	if p.changes == p.wanted {
		p.out.Flush()
		end := float64(time.Now().UnixMicro()) / 1e6
		fmt.Fprintf(os.Stderr, "\n{\"end\":%.6f,\"changes\":%d,\"bytes\":%d}\n", end, p.changes, p.bytes)
		os.Exit(0)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
