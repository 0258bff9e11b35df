// Command reference answers questions about values with the Go implementations that Kubernetes
// uses, and says when a cron expression fires by walking through every minute: one JSON line in,
// one JSON line out.
//
//	reference < questions > answers
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

type question struct {
	Kind     string                `json:"kind"`
	Text     string                `json:"text"`
	Other    string                `json:"other"`    // quantity: a second one
	Zone     string                `json:"zone"`     // cron, firings, transitions
	From     int64                 `json:"from"`     // cron, firings, transitions: Unix seconds
	To       int64                 `json:"to"`       // firings, transitions
	Labels   map[string]string     `json:"labels"`   // selectors
	Selector *metav1.LabelSelector `json:"selector"` // labelSelector
}

type answer struct {
	Error string `json:"error,omitempty"`
	Text  string `json:"text,omitempty"`
	// quantity; Value and Milli are absent when they do not fit 64 bits.
	Value   *int64  `json:"value,omitempty"`
	Milli   *int64  `json:"milli,omitempty"`
	Compare int64   `json:"compare"`
	Sum     string  `json:"sum,omitempty"`
	Nanos   int64   `json:"nanos"`           // duration
	Matches bool    `json:"matches"`         // selectors
	Times   []int64 `json:"times,omitempty"` // cron: Unix seconds
	// cron: the clocks of the zone are changed between the times or near them.
	Shifted bool `json:"shifted"`
}

// How many times of a schedule are compared.
const ticks = 5

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			log.Fatalf("%s: %v", in.Text(), err)
		}
		line, err := json.Marshal(reply(q))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintf(out, "%s\n", line)
	}
	if err := in.Err(); err != nil {
		log.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func reply(q question) answer {
	var a answer
	var err error
	switch q.Kind {
	case "quantity":
		a, err = quantity(q)
	case "duration":
		a, err = duration(q)
	case "selector":
		a, err = selector(q)
	case "labelSelector":
		a, err = labelSelector(q)
	case "cron":
		a, err = schedule(q)
	case "firings":
		a, err = firings(q)
	case "transitions":
		a, err = transitions(q)
	default:
		log.Fatalf("unknown kind %q", q.Kind)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return a
}

func quantity(q question) (answer, error) {
	parsed, err := resource.ParseQuantity(q.Text)
	if err != nil {
		return answer{}, err
	}
	// Not String: it keeps the text that was parsed.
	number, suffix := parsed.CanonicalizeBytes(nil)
	a := answer{Text: string(number) + string(suffix)}
	within := func(limit *resource.Quantity) bool {
		low := limit.DeepCopy()
		low.Neg()
		return parsed.Cmp(*limit) <= 0 && parsed.Cmp(low) >= 0
	}
	if within(resource.NewQuantity(1<<62, resource.DecimalSI)) {
		value := parsed.Value()
		a.Value = &value
	}
	if within(resource.NewQuantity(1<<52, resource.DecimalSI)) {
		milli := parsed.MilliValue()
		a.Milli = &milli
	}
	if other, err := resource.ParseQuantity(q.Other); err == nil {
		a.Compare = int64(parsed.Cmp(other))
		sum := parsed.DeepCopy()
		sum.Add(other)
		a.Sum = sum.String()
	}
	return a, nil
}

func duration(q question) (answer, error) {
	d, err := time.ParseDuration(q.Text)
	return answer{Text: d.String(), Nanos: int64(d)}, err
}

func selector(q question) (answer, error) {
	s, err := labels.Parse(q.Text)
	if err != nil {
		return answer{}, err
	}
	return answer{Matches: s.Matches(labels.Set(q.Labels))}, nil
}

func labelSelector(q question) (answer, error) {
	s, err := metav1.LabelSelectorAsSelector(q.Selector)
	if err != nil {
		return answer{}, err
	}
	return answer{Text: metav1.FormatLabelSelector(q.Selector), Matches: s.Matches(labels.Set(q.Labels))}, nil
}

func schedule(q question) (answer, error) {
	parsed, err := cron.ParseStandard(q.Text)
	if err != nil {
		return answer{}, err
	}
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		return answer{}, err
	}
	var a answer
	from := time.Unix(q.From, 0).In(zone)
	at := from
	for range ticks {
		next := parsed.Next(at)
		if next.IsZero() {
			break
		}
		a.Times = append(a.Times, next.Unix())
		at = next
	}
	const day = 26 * time.Hour
	start, _ := from.Add(-day).ZoneBounds()
	later, _ := at.Add(day).ZoneBounds()
	a.Shifted = !start.Equal(later)
	return a, nil
}
