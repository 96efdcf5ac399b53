// Package kqueue is kevent(2), which darwin and the BSDs have, as package netpoll needs it: one type of event for
// all their layouts, and on Linux a model that behaves the same, so that netpoll's use of it can be run there.
//
//	kq, err := kqueue.Open()
//	var ev [2]kqueue.Event
//	ev[0].Set(fd, kqueue.Read, kqueue.Add|kqueue.Clear, 0, word)
//	_, err = kqueue.Kevent(kq, ev[:1], nil, 0)        // tell the kernel
//	n, err := kqueue.Kevent(kq, nil, ev[:], -1)       // wait for it
//
// On the systems that have it everything here is x/sys/unix under another name (kqueue_bsd.go). The model
// (model_linux.go) says at its head what it has and what it leaves out. Other systems have nothing here.
package kqueue
