(** * What would be false of trajectories *)

From Coq Require Import Reals Lra Lia Arith FunctionalExtensionality.
From Fingerprint Require Import Samplers Law Trajectory.
Open Scope R_scope.

(** Without noise and with the start 1 in every call, as a noise that is drawn once. *)
Definition one_draw (j d : nat) : R := 1.

Definition calls_of (n : nat) (weights : nat -> nat -> R) : sampler unit :=
  {| calls := n; label := fun _ => tt; start := fun _ => 0; carried := weights |}.

Ltac run := unfold trajectory, query; simpl; unfold weight, noise, dot, one_draw; simpl.

(** Two calls that are always asked the same hide which of them is used. *)
Theorem not_if_always_asked_the_same : exists A B : sampler unit, calls A = calls B /\
  weight A 2 0 <> weight B 2 0 /\
  forall (F : network unit unit) n j, (j <= 2)%nat ->
    trajectory tt 1 A one_draw F n j = trajectory tt 1 B one_draw F n j.
Proof.
  exists (calls_of 2 (fun j i => match j, i with 2%nat, O => 1 | _, _ => 0 end)),
    (calls_of 2 (fun j i => match j, i with 2%nat, 1%nat => 1 | _, _ => 0 end)).
  split; [reflexivity|]. split; [unfold weight; simpl; lra|].
  intros F n j small. destruct j as [|[|[|]]]; [reflexivity|reflexivity| |lia].
  run. match goal with |- context [F tt ?p tt] => set (at_0 := p) end.
  replace (fun k : unit => 0 * 0 + (0 + 0 * F tt at_0 k) + (0 + 1 * n O k)) with at_0.
  - lra.
  - extensionality k. unfold at_0. lra.
Qed.

(** Three calls, asked at z, z + y_0 and z + 2 y_0, and the output z + a y_0 + b y_1 + a y_2. *)
Definition three_calls (a b : R) : sampler unit := calls_of 3 (fun j i =>
  match j, i with 1%nat, O => 1 | 2%nat, O => 2 | 3%nat, 1%nat => b | 3%nat, _ => a | _, _ => 0 end).

(** Affine networks do not show all even then: (1, 1, 1) and (2, -1, 2) differ by (1, -2, 1), which does not
    see the queries, equally spaced. *)
Theorem not_for_affine_networks : exists A B : sampler unit, calls A = calls B /\
  told_apart 1 A one_draw /\ weight A 3 0 <> weight B 3 0 /\
  forall (f g : R) n j, (j <= 3)%nat ->
    trajectory tt 1 A one_draw (fun _ q k => f * q k + g) n j
    = trajectory tt 1 B one_draw (fun _ q k => f * q k + g) n j.
Proof.
  exists (three_calls 1 1), (three_calls 2 (-1)). split; [reflexivity|]. split; [|split].
  - intros i j small_i small_j _ rows _. specialize (rows O ltac:(simpl; lia)). simpl in small_i, small_j.
    unfold weight in rows. destruct i as [|[|[|]]], j as [|[|[|]]]; simpl in rows; lia || lra.
  - unfold weight. simpl. lra.
  - intros f g n j small. destruct j as [|[|[|[|]]]]; [reflexivity|reflexivity|reflexivity| |lia].
    unfold three_calls. run. ring.
Qed.

(** The hypothesis on the expectation can be met, if only where nothing is drawn. *)
Theorem expectations_exist : normal tt 0 (fun f => f (fun _ (_ : unit) => 0)).
Proof.
  split.
  - intros v f. unfold dot. simpl. lra.
  - intros g h. unfold drawn, dot. simpl. lra.
  - intros. lra.
  - intros e m G n positive.
    assert (whole : forall m, within e m (fun i => drawn tt 0 (G i) (fun _ _ => 0))
      (fun i => drawn tt 0 (G i) n) = 1).
    { induction m0 as [|i IH]; simpl; [reflexivity|]. rewrite IH, near_one; [lra|].
      unfold drawn, dot. simpl. rewrite Rminus_0_r, Rabs_R0. assumption. }
    rewrite whole. lra.
Qed.
