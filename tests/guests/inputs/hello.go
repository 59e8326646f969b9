package main

import (
	"fmt"
	"sort"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	c := make(chan int, 4)
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func(i int) { defer wg.Done(); c <- i * i }(i)
	}
	go func() { wg.Wait(); close(c) }()
	var r []int
	for v := range c {
		r = append(r, v)
	}
	sort.Ints(r)
	fmt.Println("go", r)
}
