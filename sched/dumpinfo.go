package sched

// The form of a dump; collect.go fills it in, dump.go prints it. The runtime has no counterpart: it writes text only.

// DumpInfo is what Dump tells and DumpJSON writes. Numbers of nanoseconds end in _ns; a task or P that is
// not there has no key, or the number 0, which no task's id is.
type DumpInfo struct {
	Scheduler uint32 `json:"scheduler"` // counts the Schedulers of the process from 1
	UptimeNS  int64  `json:"uptime_ns"` // since the program began
	Closing   bool   `json:"closing,omitempty"`

	Procs     int     `json:"procs"`          // Ps that count
	IdleProcs int     `json:"idle_procs"`     // of them, those without a worker
	Searching int     `json:"searching"`      // workers that search for work
	Threads   int     `json:"threads"`        // workers
	IdleM     int     `json:"idle_threads"`   // of them, those asleep in the thread cache
	Monitor   bool    `json:"monitor"`        // there is one more thread, that of the monitor
	NeedSpin  bool    `json:"need_searching"` // who is about to give up its P shall search first
	Ps        []DumpP `json:"ps"`

	Live           int      `json:"live"`             // tasks that have not ended
	GlobalQueue    []uint64 `json:"global_queue"`     // ids of the tasks there, the next one first; at most 4096
	GlobalQueueLen int      `json:"global_queue_len"` // how many there are

	Tasks      []DumpTask `json:"tasks"`                // all that have not ended, by id
	Goroutines []DumpTask `json:"goroutines,omitempty"` // plain goroutines of the process that wait in calls of userrt

	// Circles are tasks that wait for each other, each for what the next one holds and the last one for what the first
	// holds: partial deadlocks, since such tasks can't go on whatever the others do. Locks note their holders only
	// with Config.DetectDeadlock or NoteHolders.
	Circles [][]uint64 `json:"circles,omitempty"`

	Notes []string `json:"notes,omitempty"` // what could not be told, and why
}

// DumpP is one P and its queues.
type DumpP struct {
	ID        int      `json:"id"`
	State     string   `json:"state"` // "running" (a worker has it), "blocked" (its worker is in Block and may take it back), "lent" (to a plain goroutine), "idle", "withdrawn"
	SchedTick uint32   `json:"schedtick"`
	Runnext   uint64   `json:"runnext,omitempty"` // the task to run before those in Runq
	Runq      []uint64 `json:"runq"`              // the ring, the next one first
	Preempt   bool     `json:"preempt,omitempty"` // its task has been asked to give way
}

// DumpTask is one task, or a plain goroutine that waits.
type DumpTask struct {
	ID         uint64    `json:"id,omitempty"`
	Name       string    `json:"name,omitempty"`
	State      string    `json:"state"`                 // "runnable", "running", "waiting", "syscall" (in Block)
	WaitReason string    `json:"wait_reason,omitempty"` // of one that waits
	WaitNS     int64     `json:"wait_ns,omitempty"`     // for how long it waits or is in Block: too long by up to 20 ms
	WaitsFor   *DumpWait `json:"waits_for,omitempty"`
	P          *int      `json:"p,omitempty"`      // of one that runs
	Parent     uint64    `json:"parent,omitempty"` // the task that made it
	CreatedBy  *DumpPos  `json:"created_by,omitempty"`
	Goroutine  uint64    `json:"goroutine,omitempty"` // the native goroutine that is its stack
	Native     string    `json:"native,omitempty"`    // what that waits for natively, where no call of ours waits
	Stack      string    `json:"stack,omitempty"`     // its calls, in the form of a goroutine's traceback
}

// DumpWait is an edge of the wait-for graph: what a task waits for, and who must act first.
type DumpWait struct {
	Addr  string `json:"addr"`            // of the object: the argument of Park, the primitive's lock
	What  string `json:"what,omitempty"`  // in words, where a Describer knows
	Owner uint64 `json:"owner,omitempty"` // the task that holds it, where one does
}

// DumpPos is a place in the program.
type DumpPos struct {
	Func   string  `json:"func"`
	File   string  `json:"file"`
	Line   int     `json:"line"`
	Offset uintptr `json:"offset"` // of the instruction, from where the function begins
}
