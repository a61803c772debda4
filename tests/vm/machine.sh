# A virtual machine of tests/vm/image, for tests/vm/run, which sets $folder to where that has its
# files, and $machine to a folder with a copy of its disk, where what the machine says goes.
# shellcheck shell=bash

folder=${folder:?}
machine=
BOOT_DEADLINE_S=300
COMMAND_DEADLINE_S=7200
machine_pid=

# Whether KVM runs a kernel to its end; /dev/kvm may be there and do nothing, in a virtual
# machine for example. Without a root file system Linux panics, and with panic=-1 then reboots.
kvm_works() {
    local said
    [ -r /dev/kvm ] && [ -w /dev/kvm ] || return 1
    # exec: where qemu aborts, it is the subshell that says so
    said=$(exec 2>&1
        timeout --kill-after=2 10 qemu-system-x86_64 -accel kvm -cpu host -m 256 -nodefaults \
            -no-user-config -display none -no-reboot -serial stdio -kernel "$folder/vmlinuz" \
            -append 'console=ttyS0 panic=-1' </dev/null) || true
    [[ $said == *'Kernel panic'* ]]
}

# Ports that are free and differ, a line each.
free_ports() {
    python3 -c 'import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(one.getsockname()[1] for one in held), sep="\n")' "$1"
}

# Sets $accelerator, $processors, $ssh_port and $machine_pid. qemu dies with this shell, even by SIGKILL.
start_machine() {
    local processor=() clock=
    ssh_port=$1
    processors=2
    if kvm_works; then
        accelerator=kvm
        processor=(-accel kvm -cpu host)
    else
        accelerator='tcg, software emulation'
        processor=(-accel "tcg,tb-size=512")
        # With two, qemu's emulation hangs where one patches code, as tracing does, that the
        # other runs.
        processors=1
        # The emulated counter is one for all processors; Linux would not trust it, and read
        # a device's instead, many microseconds each time.
        clock=tsc=reliable
    fi
    setpriv --pdeathsig KILL nice -n 10 qemu-system-x86_64 "${processor[@]}" \
        -smp "$processors" -m 1024 -nodefaults -no-user-config -display none -no-reboot \
        -serial "file:$machine/console.log" \
        -kernel "$folder/vmlinuz" -initrd "$folder/initrd" \
        -append 'root=/dev/vda rw console=ttyS0 quiet panic=-1 '"$clock" \
        -drive "file=$machine/disk.ext4,format=raw,if=virtio,cache=unsafe" \
        -netdev "user,id=net0,hostfwd=tcp:127.0.0.1:$ssh_port-:22" \
        -device virtio-net-pci,netdev=net0 -device virtio-rng-pci \
        </dev/null >"$machine/qemu.log" 2>&1 &
    machine_pid=$!
}

ssh_options() {
    printf '%s\n' -F none -i "$folder/key" -p "$ssh_port" -o BatchMode=yes \
        -o IdentitiesOnly=yes -o ConnectTimeout=20 -o ServerAliveInterval=30 \
        -o UserKnownHostsFile="$folder/known_hosts" -o HostKeyAlias=wirelab-vm
}

# Run a command in the machine, as vagrant; status 124 after two hours.
in_machine() {
    local options
    mapfile -t options < <(ssh_options)
    # shellcheck disable=SC2029  # the words are the machine's
    timeout --foreground "$COMMAND_DEADLINE_S" ssh "${options[@]}" vagrant@127.0.0.1 "$@"
}

wait_for_machine() {
    local end=$((SECONDS + BOOT_DEADLINE_S))
    until in_machine true </dev/null 2>"$machine/ssh.log"; do
        if [ $SECONDS -gt $end ] || ! kill -0 "$machine_pid" 2>/dev/null; then
            tail -n 20 "$machine/qemu.log" "$machine/console.log" "$machine/ssh.log" >&2
            echo "cannot reach the virtual machine by ssh within $BOOT_DEADLINE_S s ($accelerator);" \
                "what qemu, the console and ssh said is above" >&2
            return 1
        fi
        sleep 1
    done
    # Else it is another's ssh that answers.
    kill -0 "$machine_pid"
}

# Kills it, too, where it does not turn itself off: its disk is thrown away.
stop_machine() {
    [ -n "$machine_pid" ] || return 0
    kill "$machine_pid" 2>/dev/null || true
    wait "$machine_pid" 2>/dev/null || true
    machine_pid=
}
