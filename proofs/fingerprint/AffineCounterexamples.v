(** * What affine networks do not see

    Samplers without noise, K = 0, and with a start that is drawn: their outputs are equal for all draws, but
    l, H and Sigma are not the same. *)

From Coq Require Import Reals Lra Lia Arith FunctionalExtensionality.
From Fingerprint Require Import Samplers Law NormalStart Forms AffineOutput AffineNetworks.
Open Scope R_scope.

(** Two calls with the same label: q_1 = zeta + p y_0 and the output zeta + a y_0 + b y_1. *)
Definition twice (p a b : R) : sampler unit :=
  Sampler unit 2 (fun _ => tt) (fun _ => 1)
    (fun j i => match j, i with 1%nat, O => p | 2%nat, O => a | 2%nat, 1%nat => b | _, _ => 0 end).

Lemma twice_live p a b : a <> 0 -> b <> 0 -> live (twice p a b).
Proof.
  intros A B i small. apply (leads_back _ 2 i (leads_output (twice p a b))).
  simpl in small. destruct i as [| [|]]; [exact A | exact B | lia].
Qed.

Ltac compute_output := unfold drawn_output, output, query, affine, noise, dot; simpl; unfold weight; simpl.

(** With a repeated label affine networks see no difference; the square of the query does. *)
Theorem repeated_labels : forall S G, let A := twice (1/2) (1/5) (3/5) in let B := twice 1 (1/2) (3/10) in
  live A /\ live B /\
  (forall f g (n : nat -> state unit), drawn_output S 0 A G (affine f g) n tt
                                     = drawn_output S 0 B G (affine f g) n tt) /\
  ~ same_from_normal S 0 A G B G /\
  (S <> 0 -> exists n : nat -> state unit, drawn_output S 0 A G (fun _ q k => q k * q k) n tt
                                        <> drawn_output S 0 B G (fun _ q k => q k * q k) n tt).
Proof.
  intros S G A B. split; [apply twice_live; lra |]. split; [apply twice_live; lra |]. split; [| split].
  - intros f g n. unfold A, B. compute_output. field.
  - intros (p & p' & (there & _ & last) & _ & weights & _).
    destruct (there 0%nat) as [small _]; [simpl; lia |].
    assert (weight A 2 0 = weight B (p 2%nat) (p 0%nat)) as E by (apply weights; simpl; lia).
    simpl in small, last. rewrite last in E.
    destruct (p 0%nat) as [| [|]]; unfold weight in E; simpl in E; lra || lia.
  - intros spread. exists (fun _ _ => / S). unfold A, B. compute_output. rewrite Rinv_r by exact spread. lra.
Qed.

(** A call that does not lead to the output is seen by no network. *)
Definition idle (calls : nat) : sampler unit := Sampler unit calls (fun _ => tt) (fun _ => 1) (fun _ _ => 0).

Theorem idle_call : forall S G, distinct (idle 1) /\ distinct (idle 0) /\
  (forall F (n : nat -> state unit), drawn_output S 0 (idle 1) G F n tt
                                   = drawn_output S 0 (idle 0) G F n tt) /\
  ~ same_from_normal S 0 (idle 1) G (idle 0) G.
Proof.
  intros S G. split; [| split; [| split]].
  - intros i j. simpl. lia.
  - intros i j. simpl. lia.
  - intros F n. compute_output. ring.
  - intros (p & p' & (there & _) & _). destruct (there 0%nat); simpl in *; lia.
Qed.

(** Linear networks, g = 0, do not suffice: a smaller query and a larger weight compensate. *)
Definition once (c h : R) : sampler unit :=
  Sampler unit 1 (fun _ => tt) (fun j => match j with O => c | _ => 0 end) (fun _ _ => h).

Lemma once_live c h : h <> 0 -> live (once c h).
Proof.
  intros weight i small. simpl in small. replace i with 0%nat by lia.
  apply (leads_back _ 1 0 (leads_output (once c h))). exact weight.
Qed.

Theorem linear_networks : forall S G, let A := once 1 1 in let B := once (1/2) 2 in
  distinct A /\ distinct B /\ live A /\ live B /\
  (forall f (n : nat -> state unit), drawn_output S 0 A G (affine f (fun _ _ => 0)) n tt
                                   = drawn_output S 0 B G (affine f (fun _ _ => 0)) n tt) /\
  ~ same_from_normal S 0 A G B G.
Proof.
  intros S G A B. repeat split; try (apply once_live; lra); try (intros i j; simpl; lia).
  - intros f n. unfold A, B. compute_output. field.
  - intros (p & p' & (there & _ & last) & _ & weights & _).
    destruct (there 0%nat) as [small _]; [simpl; lia |].
    assert (weight A 1 0 = weight B (p 1%nat) (p 0%nat)) as E by (apply weights; simpl; lia).
    simpl in small, last. rewrite last in E. replace (p 0%nat) with 0%nat in E by lia.
    unfold weight in E. simpl in E. lra.
Qed.

(** ** The laws of the theorem exist

    They are those of normal draws. One draw may also be plus or minus one, at the toss of a coin; to give a
    number to every event, events have to be decided. *)

Section Coin.
Variable decided : forall event : Prop, {event} + {~ event}.

Definition tossed (x : R) : nat -> state unit := fun d _ => match d with O => x | _ => 0 end.
Definition chance (event : Prop) : R := if decided event then 1/2 else 0.
Definition coin : law unit := fun event => chance (event (tossed 1)) + chance (event (tossed (-1))).

Lemma reflect_tossed v x : dot 1 v v <> 0 -> reflect_draws 1 v (tossed x) = tossed (- x).
Proof.
  intros nonzero. extensionality d. extensionality k. unfold reflect_draws, reflect, dot in *. simpl in *.
  destruct d as [| d]; simpl; [| reflexivity].
  field. intros zero. apply nonzero. rewrite zero. ring.
Qed.

Lemma coin_invariant : rotation_invariant 1 coin.
Proof.
  intros v event nonzero. unfold coin. rewrite !reflect_tossed by exact nonzero.
  replace (- (-1)) with 1 by ring. apply Rplus_comm.
Qed.

(** Two values in order are told by how often they are at most r. *)
Lemma pairs_below x y x' y' : x <= y -> x' <= y' ->
  (forall r, chance (x <= r) + chance (y <= r) = chance (x' <= r) + chance (y' <= r)) -> x' <= x /\ y' <= y.
Proof.
  intros order order' same. pose proof (same x) as first. pose proof (same y) as second. unfold chance in *.
  split.
  - destruct (decided (x <= x)), (decided (y <= x)), (decided (x' <= x)), (decided (y' <= x)); lra.
  - destruct (decided (x <= y)), (decided (y <= y)), (decided (x' <= y)), (decided (y' <= y)); lra.
Qed.

Lemma coin_law x y x' y' :
  (forall r, chance (x <= r) + chance (y <= r) = chance (x' <= r) + chance (y' <= r)) ->
  x = x' /\ y = y' \/ x = y' /\ y = x'.
Proof.
  intros same. destruct (Rle_dec x y), (Rle_dec x' y').
  all: [> destruct (pairs_below x y x' y'), (pairs_below x' y' x y)
       |  destruct (pairs_below x y y' x'), (pairs_below y' x' x y)
       |  destruct (pairs_below y x x' y'), (pairs_below x' y' y x)
       |  destruct (pairs_below y x y' x'), (pairs_below y' x' y x) ].
  all: try (intros t; specialize (same t)); try lra; try (left; split; lra); try (right; split; lra).
Qed.

Theorem laws_exist : rotation_invariant 1 coin /\ inhabited (expectation coin tt 1).
Proof.
  split; [exact coin_invariant | constructor].
  refine (Expectation _ coin tt 1 (fun X m => (X (tossed 1) + X (tossed (-1))) / 2 = m) _ _ _ _ _).
  - intros c. field.
  - intros a X Y m m' <- <-. field.
  - intros X Y m m' v v' same <- <- <- <-. apply coin_law in same.
    destruct same as [[-> ->] | [-> ->]]; split; try reflexivity; f_equal; apply Rplus_comm.
  - intros d small. replace d with O by lia. simpl. field.
  - intros d e small small'. replace d with O by lia. replace e with O by lia. unfold pulse. simpl. field.
Qed.
End Coin.
