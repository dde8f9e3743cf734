// Judges a register with compare-and-set by Porcupine: the peer of the benchmark of
// linearizability. Reads lines "client call return op a b out" from the standard input, with a
// return of -1 for what is indeterminate, and prints the answer and the seconds it took.
package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	read = iota
	write
	cas
)

type input struct{ op, a, b int }

type output struct {
	value   int
	unknown bool
}

var model = porcupine.Model{
	Init: func() interface{} { return 0 },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		now, asked, seen := state.(int), in.(input), out.(output)
		switch asked.op {
		case read:
			return seen.unknown || seen.value == now, now
		case write:
			return true, asked.a
		}
		if now == asked.a {
			return true, asked.b
		}
		return seen.unknown, now
	},
}

func main() {
	limit, _ := strconv.ParseFloat(os.Args[1], 64)
	var history []porcupine.Operation
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var n [7]int
		for i, field := range strings.Fields(lines.Text()) {
			n[i], _ = strconv.Atoi(field)
		}
		end := int64(n[2])
		if n[2] < 0 {
			end = math.MaxInt64
		}
		history = append(history, porcupine.Operation{
			ClientId: n[0], Call: int64(n[1]), Return: end,
			Input: input{n[3], n[4], n[5]}, Output: output{n[6], n[2] < 0},
		})
	}
	begun := time.Now()
	answer := porcupine.CheckOperationsTimeout(
		model, history, time.Duration(limit*float64(time.Second)))
	fmt.Printf("%s %.3f\n", answer, time.Since(begun).Seconds())
}
